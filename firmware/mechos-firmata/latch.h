// The latch, and what must be true of the memory of Firmata once it has fallen.

// The pin belongs to a range sensor: in this mode StandardFirmata touches no pin.
static const byte PIN_MODE_TRIGGER = 0x0F;

// Cuts the outputs and sets the latch; the first cause stays until the board runs again. Interrupts must be off.
static void fall(Cause why) {
  for (uint8_t i = 0; i < MAX_SERVOS; i++) servos[i].fall();
  makeSafe();
  if (latch.isSet) return;
  latch.why = why;
  latch.hasFallen = true;
  latch.isSet = true;
}

// A nonce is never predicted from those of earlier boots: the counter differs, and so does the time of each draw.
static void drawNonce() {
  static uint32_t state;
  do {
    state ^= (uint32_t)boots << 16 ^ micros();
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    latch.nonce = state & 0x0FFFFFFF;
  } while (latch.nonce == 0);
}

static void remember(uint8_t pin, byte mode, int state) {
  Firmata.setPinMode(pin, mode);
  Firmata.setPinState(pin, state);
  const byte bit = 1 << (pin & 7);
  if (mode == INPUT) portConfigInputs[pin / 8] |= bit;
  else portConfigInputs[pin / 8] &= ~bit;
  if (IS_PIN_ANALOG(pin)) reportAnalogCallback(PIN_TO_ANALOG(pin), 0);
}

static bool isInputMode(byte mode) { return mode == INPUT || mode == PIN_MODE_ANALOG || mode == PIN_MODE_PULLUP; }

static void settlePin(uint8_t pin) {
  const Rule rule = ruleOf(pin);
  const byte mode = Firmata.getPinMode(pin);
  if (mode == PIN_MODE_TRIGGER) return;
  const uint8_t index = servoPinMap[pin];
  if (index < MAX_SERVOS) {
    if (rule == RULE_PULSE && servos[index].isPulsing()) return;
    detachServo(pin);
  }
  if (rule != RULE_INPUT) remember(pin, OUTPUT, rule == RULE_HIGH);
  else if (!isInputMode(mode)) remember(pin, INPUT, 0);
}

// Brings the memory of Firmata in line with the pins, ends I2C, and makes every older nonce void.
static void settle() {
  latch.hasFallen = false;
  drawNonce();
  if (isI2CEnabled) {
    disableI2CPins();
    TWCR = 0;
  }
  for (uint8_t pin = 2; pin < TABLE_PINS; pin++) settlePin(pin);
}

static void halt() {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) fall(CAUSE_HALT);
  settle();
}

static void latchAtBoot(bool wasStuck) {
  latch.why = wasStuck ? CAUSE_STUCK : CAUSE_BOOT;
  settle();
}

// The watchdog counts from here: without a beat the board does not run for long.
static void release() {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    wdt_reset();
    latch.nonce = 0;
    latch.why = CAUSE_NONE;
    latch.isSet = false;
  }
}
