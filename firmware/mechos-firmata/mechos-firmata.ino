// StandardFirmata 2.5.8 with a deadman. It boots latched with its outputs at declared safe levels, runs only after a
// host has echoed its nonce, and cuts its outputs 500 ms after the last beat. The words that it speaks are specified in
// drivers/guardian/deadman.ts; docs/firmware.md says how to build, flash and wire it.
//
// StandardFirmata.ino is compiled as it is: macros put guards in the place of what it would do to the hardware.
#include <Arduino.h>
// Before Firmata, which has no servos where it does not find this.
#include <Servo.h>
#include <Firmata.h>
#include <Wire.h>
#include <avr/eeprom.h>
#include <avr/wdt.h>
#include <util/atomic.h>
#include <util/crc16.h>

#include "safe-table.h"
#include "outputs.h"
#include "guards.h"

#define setup standardSetup
#define loop standardLoop
#define pinMode guardedPinMode
#define digitalWrite guardedDigitalWrite
#define analogWrite guardedAnalogWrite
#define writePort guardedWritePort
#define Servo GuardedServo
// With no name set, Firmata keeps silent about its firmware until it has ours; and it must not blink on pin 13.
#undef setFirmwareVersion
#define setFirmwareVersion(major, minor) disableBlinkVersion()
#include "StandardFirmata.ino"
#undef setup
#undef loop
#undef pinMode
#undef digitalWrite
#undef analogWrite
#undef writePort
#undef Servo

#include "latch.h"
#include "reports.h"
#include "sensors.h"
#include "watchdog.h"
#include "words.h"
#include "line.h"

static Line line;

static void say(uint8_t byte) { line.write(byte); }

void setup() {
  const bool wasStuck = watchdogWasLast();
  startWatchdog();
  countBoot();
  startSensors();
  standardSetup();
  Firmata.setFirmwareNameAndVersion("MechosFirmata", 1, 0);
  Firmata.begin(line);
  latchAtBoot(wasStuck);
  tellStatus(WORD_NONE, RESULT_DONE);
}

void loop() {
  keepWatchdog();
  if (latch.hasFallen) {
    settle();
    tellStatus(WORD_NONE, RESULT_DONE);
  }
  line.startPass();
  standardLoop();
  serveSensors();
}
