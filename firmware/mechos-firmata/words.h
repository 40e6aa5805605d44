// The words of the host and the answers to them: drivers/guardian/deadman.ts is their specification.

enum Word : uint8_t {
  WORD_BEAT = 0x00,
  WORD_HALT = 0x01,
  WORD_UNLATCH = 0x02,
  WORD_STATUS = 0x03,
  WORD_TABLE = 0x04,
  WORD_REGISTERS = 0x05,
  WORD_ENCODER = 0x06,
  WORD_RANGE = 0x07,
  WORD_NONE = 0x7F
};

enum Result : uint8_t { RESULT_DONE, RESULT_WRONG_STATE, RESULT_MALFORMED, RESULT_WRONG_NONCE, RESULT_NO_TABLE };

static const uint8_t REPORT_STATUS = 0x40;
static const uint8_t REPORT_REGISTERS = 0x41;
static const uint8_t STATUS_BYTES_MAX = 3 + 14 + NAME_MAX + 1;
static const uint8_t PINS_PER_REPORT = 14;

static uint8_t statusFlags() { return (latch.isSet ? 1 : 0) | (safeTable.isValid ? 2 : 0); }

static void tellStatus(Word answered, Result result) {
  startReport(REPORT_STATUS);
  say(answered);
  say(result);
  uint8_t flags;
  uint8_t why;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    flags = statusFlags();
    why = latch.why;
  }
  say(flags);
  say(why);
  sayGroups(latch.nonce, 4);
  sayGroups(boots, 3);
  sayGroups(safeTable.crc, 3);
  for (uint8_t i = 1; i <= safeTable.bytes[0]; i++) say(safeTable.bytes[i]);
  endReport();
}

static uint16_t compareOf(uint8_t pin, bool &isOn) {
  uint8_t control = 0;
  uint16_t compare = 0;
  switch (digitalPinToTimer(pin)) {
    case TIMER0A: control = TCCR0A & (_BV(COM0A1) | _BV(COM0A0)); compare = OCR0A; break;
    case TIMER0B: control = TCCR0A & (_BV(COM0B1) | _BV(COM0B0)); compare = OCR0B; break;
    case TIMER1A: control = TCCR1A & (_BV(COM1A1) | _BV(COM1A0)); compare = OCR1A; break;
    case TIMER1B: control = TCCR1A & (_BV(COM1B1) | _BV(COM1B0)); compare = OCR1B; break;
    case TIMER2A: control = TCCR2A & (_BV(COM2A1) | _BV(COM2A0)); compare = OCR2A; break;
    case TIMER2B: control = TCCR2A & (_BV(COM2B1) | _BV(COM2B0)); compare = OCR2B; break;
  }
  isOn = control != 0;
  return compare > 255 ? 255 : compare;
}

static void tellPin(uint8_t pin) {
  uint8_t flags = 0;
  uint16_t value = 0;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    const uint8_t port = digitalPinToPort(pin);
    const uint8_t bit = digitalPinToBitMask(pin);
    if (*portModeRegister(port) & bit) flags |= 1;
    if (*portOutputRegister(port) & bit) flags |= 2;
    if (*portInputRegister(port) & bit) flags |= 4;
    bool isOn;
    const uint16_t compare = compareOf(pin, isOn);
    if (isOn) {
      flags |= 8;
      value = compare;
    }
    if (pulsing[portOf(pin)] & bitOf(pin)) {
      flags |= 16;
      value = servos[servoPinMap[pin]].readMicroseconds();
    }
  }
  say(pin);
  say(flags);
  sayGroups(value, 2);
}

// Pins that the board has not are left out.
static void tellRegisters(uint8_t token, const uint8_t *pins, uint8_t count) {
  const bool isAll = count == 0;
  uint8_t at = 0;
  const uint8_t end = isAll ? TABLE_PINS : count;
  do {
    startReport(REPORT_REGISTERS);
    say(token);
    say(statusFlags());
    for (uint8_t told = 0; at < end && told < PINS_PER_REPORT; at++) {
      const uint8_t pin = isAll ? at : pins[at];
      if (pin >= TABLE_PINS) continue;
      tellPin(pin);
      told++;
    }
    endReport();
  } while (at < end);
}

static uint32_t groups(const uint8_t *data, uint8_t count) {
  uint32_t value = 0;
  while (count-- > 0) value = value << 7 | data[count];
  return value;
}

static Result unlatch(const uint8_t *data, uint8_t count) {
  if (count != 4) return RESULT_MALFORMED;
  if (!latch.isSet) return RESULT_WRONG_STATE;
  if (!safeTable.isValid) return RESULT_NO_TABLE;
  const bool isRight = latch.nonce != 0 && groups(data, 4) == latch.nonce;
  // A nonce is used once, be it rightly or not.
  drawNonce();
  if (!isRight) return RESULT_WRONG_NONCE;
  release();
  return RESULT_DONE;
}

static Result writeTable(const uint8_t *data, uint8_t count) {
  if (!latch.isSet) return RESULT_WRONG_STATE;
  if (count == 0 || data[0] > NAME_MAX) return RESULT_MALFORMED;
  const uint8_t length = tableLength(data);
  if (count != length + 3 || !isTable(data)) return RESULT_MALFORMED;
  if (groups(data + length, 3) != crcOf(data, length)) return RESULT_MALFORMED;
  if (isStored(data, length)) return RESULT_DONE;
  forgetSensors();
  storeTable(data, length);
  loadTable();
  halt();
  return isStored(data, length) ? RESULT_DONE : RESULT_NO_TABLE;
}

static Result encoder(const uint8_t *data, uint8_t count) {
  if (!latch.isSet) return RESULT_WRONG_STATE;
  if (count != 3 || data[0] >= ENCODERS) return RESULT_MALFORMED;
  return declareEncoder(data[0], data[1], data[2]) ? RESULT_DONE : RESULT_MALFORMED;
}

static Result range(const uint8_t *data, uint8_t count) {
  if (!latch.isSet) return RESULT_WRONG_STATE;
  if (count != 3 || data[0] >= RANGES) return RESULT_MALFORMED;
  return declareRange(data[0], data[1], data[2]) ? RESULT_DONE : RESULT_MALFORMED;
}

// A line that is full does not hold the board up: a beat is then taken and not answered.
static void beat(uint8_t count) {
  if (count == 0 && !latch.isSet) wdt_reset();
  if (Serial.availableForWrite() >= STATUS_BYTES_MAX) tellStatus(WORD_BEAT, count == 0 ? RESULT_DONE : RESULT_MALFORMED);
}

static void serveWord(uint8_t word, const uint8_t *data, uint8_t count) {
  switch (word) {
    case WORD_BEAT: return beat(count);
    case WORD_HALT: halt(); return tellStatus(WORD_HALT, RESULT_DONE);
    case WORD_UNLATCH: return tellStatus(WORD_UNLATCH, unlatch(data, count));
    case WORD_STATUS: return tellStatus(WORD_STATUS, RESULT_DONE);
    case WORD_TABLE: return tellStatus(WORD_TABLE, writeTable(data, count));
    case WORD_REGISTERS: if (count > 0) tellRegisters(data[0], data + 1, count - 1); return;
    case WORD_ENCODER: return tellStatus(WORD_ENCODER, encoder(data, count));
    case WORD_RANGE: return tellStatus(WORD_RANGE, range(data, count));
  }
}
