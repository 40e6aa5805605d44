// Wheel encoders and HC-SR04 range sensors, read by pin change interrupts: nothing here waits.

static const uint8_t NO_PIN = 0x7F;
static const uint8_t ENCODERS = 2;
static const uint8_t RANGES = 4;

struct Input {
  volatile uint8_t *port;
  uint8_t bit;
  bool isHigh() const { return *port & bit; }
};

static Input inputOn(uint8_t pin) { return {portInputRegister(digitalPinToPort(pin)), digitalPinToBitMask(pin)}; }

static struct Encoder {
  uint8_t pinA, pinB;
  Input a, b;
  uint8_t phase;
  int32_t count;
} encoders[ENCODERS];

static struct Range {
  uint8_t trigger, echo;
} ranges[RANGES];

enum EchoState : uint8_t { ECHO_NONE, ECHO_AWAITED, ECHO_RUNNING, ECHO_OVER };

static struct Echo {
  volatile EchoState state;
  uint8_t slot;
  Input input;
  volatile uint32_t risenAt;
  volatile uint32_t micros;
  uint32_t askedAt;
} echo;

static const uint8_t PING_PERIOD_MS = 60;
// The sensor wants ten; what the call itself takes is less sure.
static const uint8_t PING_MICROS = 12;
static const uint8_t ECHO_AWAITED_MS = 40;

// Per edge of two channels, by the old and the new phase (channel A is bit 0): which way the wheel has turned.
static const int8_t STEPS[16] = {0, 1, -1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 0, -1, 1, 0};

static uint8_t phaseOf(const Encoder &encoder) {
  const uint8_t b = encoder.pinB != NO_PIN && encoder.b.isHigh() ? 2 : 0;
  return b | (encoder.a.isHigh() ? 1 : 0);
}

static void countEdge(Encoder &encoder) {
  if (encoder.pinA == NO_PIN) return;
  const uint8_t phase = phaseOf(encoder);
  if (encoder.pinB != NO_PIN) encoder.count += STEPS[encoder.phase << 2 | phase];
  else if (phase != encoder.phase) encoder.count++;
  encoder.phase = phase;
}

static void hearEcho() {
  if (echo.state == ECHO_AWAITED && echo.input.isHigh()) {
    echo.risenAt = micros();
    echo.state = ECHO_RUNNING;
  } else if (echo.state == ECHO_RUNNING && !echo.input.isHigh()) {
    echo.micros = micros() - echo.risenAt;
    echo.state = ECHO_OVER;
  }
}

// Pin changes come before the watchdog where both are due: an input that chatters must not put the watchdog off.
ISR(PCINT0_vect) {
  if (WDTCSR & _BV(WDIF)) fall(CAUSE_WATCHDOG);
  for (uint8_t i = 0; i < ENCODERS; i++) countEdge(encoders[i]);
  hearEcho();
}
ISR_ALIAS(PCINT1_vect, PCINT0_vect);
ISR_ALIAS(PCINT2_vect, PCINT0_vect);

static void watch(uint8_t pin) {
  *digitalPinToPCMSK(pin) |= _BV(digitalPinToPCMSKbit(pin));
  PCICR |= _BV(digitalPinToPCICRbit(pin));
}

static void unwatch(uint8_t pin) { *digitalPinToPCMSK(pin) &= ~_BV(digitalPinToPCMSKbit(pin)); }

static bool isClaimed(uint8_t pin) {
  for (uint8_t i = 0; i < ENCODERS; i++) if (encoders[i].pinA != NO_PIN && (encoders[i].pinA == pin || encoders[i].pinB == pin)) return true;
  for (uint8_t i = 0; i < RANGES; i++) if (ranges[i].trigger != NO_PIN && (ranges[i].trigger == pin || ranges[i].echo == pin)) return true;
  return false;
}

static bool isFree(uint8_t pin, Rule rule) { return IS_PIN_DIGITAL(pin) && ruleOf(pin) == rule && !isClaimed(pin); }

static void forgetEncoder(Encoder &encoder) {
  if (encoder.pinA == NO_PIN) return;
  unwatch(encoder.pinA);
  if (encoder.pinB != NO_PIN) unwatch(encoder.pinB);
  encoder.pinA = NO_PIN;
}

// The slot is free afterwards unless the pins are good.
static bool declareEncoder(uint8_t slot, uint8_t pinA, uint8_t pinB) {
  Encoder &encoder = encoders[slot];
  forgetEncoder(encoder);
  if (pinA == NO_PIN) return true;
  if (!isFree(pinA, RULE_INPUT) || pinA == pinB) return false;
  if (pinB != NO_PIN && !isFree(pinB, RULE_INPUT)) return false;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    encoder.pinA = pinA;
    encoder.pinB = pinB;
    encoder.a = inputOn(pinA);
    if (pinB != NO_PIN) encoder.b = inputOn(pinB);
    encoder.count = 0;
    encoder.phase = phaseOf(encoder);
    watch(pinA);
    if (pinB != NO_PIN) watch(pinB);
  }
  return true;
}

static void forgetRange(uint8_t slot) {
  Range &range = ranges[slot];
  if (range.trigger == NO_PIN) return;
  if (echo.slot == slot) echo.state = ECHO_NONE;
  unwatch(range.echo);
  Firmata.setPinMode(range.trigger, OUTPUT);
  range.trigger = NO_PIN;
}

// The slot is free afterwards unless the pins are good.
static bool declareRange(uint8_t slot, uint8_t trigger, uint8_t echoPin) {
  forgetRange(slot);
  if (trigger == NO_PIN) return true;
  if (!isFree(trigger, RULE_LOW) || !isFree(echoPin, RULE_INPUT)) return false;
  ranges[slot] = {trigger, echoPin};
  Firmata.setPinMode(trigger, PIN_MODE_TRIGGER);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) watch(echoPin);
  return true;
}

static void forgetSensors() {
  for (uint8_t i = 0; i < ENCODERS; i++) forgetEncoder(encoders[i]);
  for (uint8_t i = 0; i < RANGES; i++) forgetRange(i);
}

static void startSensors() {
  for (uint8_t i = 0; i < ENCODERS; i++) encoders[i].pinA = NO_PIN;
  for (uint8_t i = 0; i < RANGES; i++) ranges[i].trigger = NO_PIN;
}

static const uint8_t REPORT_ENCODERS = 0x42;
static const uint8_t REPORT_RANGE = 0x43;

static void tellEncoders() {
  static uint32_t toldAt;
  if (encoders[0].pinA == NO_PIN && encoders[1].pinA == NO_PIN) return;
  const uint32_t now = millis();
  if (now - toldAt < samplingInterval) return;
  toldAt = now;
  startReport(REPORT_ENCODERS);
  sayGroups(now & 0x0FFFFFFF, 4);
  for (uint8_t i = 0; i < ENCODERS; i++) {
    int32_t count = 0;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) if (encoders[i].pinA != NO_PIN) count = encoders[i].count;
    sayGroups((uint32_t)count, 5);
  }
  endReport();
}

static void tellRange() {
  startReport(REPORT_RANGE);
  sayGroups(echo.slot, 1);
  sayGroups(echo.askedAt & 0x0FFFFFFF, 4);
  sayGroups(echo.state == ECHO_OVER ? echo.micros : 0, 3);
  endReport();
}

static void ping(uint8_t slot) {
  const Range &range = ranges[slot];
  echo.slot = slot;
  echo.input = inputOn(range.echo);
  echo.askedAt = millis();
  volatile uint8_t *const levels = portOutputRegister(digitalPinToPort(range.trigger));
  const uint8_t bit = digitalPinToBitMask(range.trigger);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    *levels |= bit;
    delayMicroseconds(PING_MICROS);
    *levels &= ~bit;
    echo.state = ECHO_AWAITED;
  }
}

// One sensor at a time, so that none hears the other's echo.
static void serveRanges() {
  const uint32_t sinceMs = millis() - echo.askedAt;
  if (echo.state == ECHO_OVER || (echo.state != ECHO_NONE && sinceMs > ECHO_AWAITED_MS)) {
    tellRange();
    echo.state = ECHO_NONE;
  }
  if (echo.state != ECHO_NONE || sinceMs < PING_PERIOD_MS) return;
  for (uint8_t i = 1; i <= RANGES; i++) {
    const uint8_t slot = (echo.slot + i) % RANGES;
    if (ranges[slot].trigger != NO_PIN) return ping(slot);
  }
}

static void serveSensors() {
  tellEncoders();
  serveRanges();
}
