// What StandardFirmata does to the hardware goes through these. Each looks at the latch and acts in one piece, so that
// a watchdog that falls in the middle has the last word.

enum Cause : uint8_t { CAUSE_NONE, CAUSE_BOOT, CAUSE_HALT, CAUSE_WATCHDOG, CAUSE_STUCK };

static struct Latch {
  volatile bool isSet;
  volatile Cause why;
  // It has been set and the memory of Firmata does not know it yet.
  volatile bool hasFallen;
  // What the host must echo; 0 while the board runs.
  uint32_t nonce;
} latch = {true, CAUSE_BOOT, false, 0};

static void guardedPinMode(uint8_t pin, uint8_t mode) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (mode == OUTPUT ? !latch.isSet : ruleOf(pin) == RULE_INPUT) pinMode(pin, mode);
  }
}

static void guardedDigitalWrite(uint8_t pin, uint8_t level) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (!latch.isSet) digitalWrite(pin, level);
  }
}

static void guardedAnalogWrite(uint8_t pin, int duty) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (!latch.isSet) analogWrite(pin, duty);
  }
}

static void guardedWritePort(byte port, byte levels, byte mask) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (!latch.isSet) writePort(port, levels, mask);
  }
}

// A servo that gets no pulse before it is told where to go: attaching alone would drive it to its middle.
class GuardedServo : public Servo {
public:
  uint8_t attach(int pin) { return attach(pin, MIN_PULSE_WIDTH, MAX_PULSE_WIDTH); }

  uint8_t attach(int pin, int minimum, int maximum) {
    number = pin;
    minMicros = minimum;
    maxMicros = maximum;
    isWaiting = true;
    return 0;
  }

  void write(int position) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      if (latch.isSet || !attached()) return;
      if (isWaiting) Servo::attach(number, minMicros, maxMicros);
      isWaiting = false;
      Servo::write(position);
      pulsing[portOf(number)] |= bitOf(number);
    }
  }

  void detach() {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      if (isPulsing()) {
        Servo::detach();
        pulsing[portOf(number)] &= ~bitOf(number);
      }
      isWaiting = false;
    }
  }

  // The latch falls: only a servo that is declared to keep its pulses does.
  void fall() {
    if (isPulsing() && ruleOf(number) != RULE_PULSE) detach();
  }

  bool attached() { return isWaiting || isPulsing(); }
  bool isPulsing() { return Servo::attached(); }

private:
  uint8_t number;
  bool isWaiting;
  int minMicros;
  int maxMicros;
};
