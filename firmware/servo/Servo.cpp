#include "Servo.h"

// Timer1 counts half microseconds. The pulses of one frame follow each other; the rest of its 20 ms is silence.
static const uint16_t TICKS_PER_MICRO = 2;
// What digitalWrite takes inside the interrupt, so that the pin sees the width that was asked for.
static const uint16_t TRIM_MICROS = 2;

struct Slot { uint8_t pin; bool active; volatile uint16_t ticks; };
static Slot slots[MAX_SERVOS];
static uint8_t slotCount = 0;
static volatile int8_t current = -1;

ISR(TIMER1_COMPA_vect) {
  if (current < 0) TCNT1 = 0;
  else if (slots[current].active) digitalWrite(slots[current].pin, LOW);
  current++;
  if (current < (int8_t)slotCount) {
    OCR1A = TCNT1 + slots[current].ticks;
    if (slots[current].active) digitalWrite(slots[current].pin, HIGH);
    return;
  }
  const uint16_t frame = REFRESH_INTERVAL * TICKS_PER_MICRO;
  const uint16_t soonest = TCNT1 + 4;
  OCR1A = soonest < frame ? frame : soonest;
  current = -1;
}

static bool anyActive() {
  for (uint8_t i = 0; i < slotCount; i++) if (slots[i].active) return true;
  return false;
}

static void startTimer() {
  TCCR1A = 0;
  TCCR1B = _BV(CS11);
  TCNT1 = 0;
  TIFR1 |= _BV(OCF1A);
  TIMSK1 |= _BV(OCIE1A);
}

Servo::Servo() : index(slotCount < MAX_SERVOS ? slotCount++ : INVALID_SERVO) {
  if (index != INVALID_SERVO) slots[index].ticks = (DEFAULT_PULSE_WIDTH - TRIM_MICROS) * TICKS_PER_MICRO;
}

uint8_t Servo::attach(int pin) { return attach(pin, MIN_PULSE_WIDTH, MAX_PULSE_WIDTH); }

uint8_t Servo::attach(int pin, int minimum, int maximum) {
  if (index == INVALID_SERVO) return index;
  pinMode(pin, OUTPUT);
  minMicros = minimum;
  maxMicros = maximum;
  if (!anyActive()) startTimer();
  slots[index].pin = pin;
  slots[index].active = true;
  return index;
}

void Servo::detach() {
  if (index != INVALID_SERVO) slots[index].active = false;
}

void Servo::write(int degreesOrMicros) {
  if (degreesOrMicros >= MIN_PULSE_WIDTH) return writeMicroseconds(degreesOrMicros);
  writeMicroseconds(map(constrain(degreesOrMicros, 0, 180), 0, 180, minMicros, maxMicros));
}

void Servo::writeMicroseconds(int micros) {
  if (index == INVALID_SERVO) return;
  const uint16_t ticks = (constrain(micros, minMicros, maxMicros) - TRIM_MICROS) * TICKS_PER_MICRO;
  const uint8_t interrupts = SREG;
  cli();
  slots[index].ticks = ticks;
  SREG = interrupts;
}

int Servo::readMicroseconds() {
  return index == INVALID_SERVO ? 0 : slots[index].ticks / TICKS_PER_MICRO + TRIM_MICROS;
}

bool Servo::attached() { return index != INVALID_SERVO && slots[index].active; }
