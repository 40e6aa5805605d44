#ifndef Servo_h
#define Servo_h

#include <Arduino.h>

// The interface of Arduino's Servo library, as far as Firmata uses it: up to twelve servos on any pins of an
// ATmega328P, through Timer1. From the first attach() on Timer1 is ours for good, so PWM on pins 9 and 10 is dead,
// as it is with the library that people have on their boards.
#define MAX_SERVOS 12
#define MIN_PULSE_WIDTH 544
#define MAX_PULSE_WIDTH 2400
#define DEFAULT_PULSE_WIDTH 1500
#define REFRESH_INTERVAL 20000
#define INVALID_SERVO 255

class Servo {
public:
  Servo();
  uint8_t attach(int pin);
  uint8_t attach(int pin, int minMicros, int maxMicros);
  void detach();
  void write(int degreesOrMicros);
  void writeMicroseconds(int micros);
  int readMicroseconds();
  bool attached();

private:
  uint8_t index;
  int minMicros;
  int maxMicros;
};

#endif
