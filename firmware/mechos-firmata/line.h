// The line between the host and StandardFirmata. It hands on whole, well-formed frames that are allowed at this moment,
// and nothing else: what StandardFirmata does not check itself (the number of a pin, the length of a message, an empty
// message, which repeats the one before) never reaches it.

static const uint8_t FRAME_BYTES_MAX = 64;
static const uint8_t PASS_BYTES_MAX = 64;
static const uint8_t BACKLOG_BYTES_MAX = 128;
static const uint8_t DUTY_MAX = 255;
static const uint8_t DEGREES_MAX = 180;

static bool isServoMode(uint8_t pin) { return Firmata.getPinMode(pin) == PIN_MODE_SERVO; }

// The servos take Timer1, and with it the duty of pins 9 and 10.
static bool isOnTimer1(uint8_t pin) { return pin == 9 || pin == 10; }

static bool hasServos() {
  for (uint8_t pin = 2; pin < TABLE_PINS; pin++) if (isServoMode(pin)) return true;
  return TIMSK1 & _BV(OCIE1A);
}

static bool mayBePwm(uint8_t pin) { return IS_PIN_PWM(pin) && !(isOnTimer1(pin) && hasServos()); }

static bool mayBeServo(uint8_t pin) {
  if (isServoMode(pin)) return servoPinMap[pin] < MAX_SERVOS;
  if (Firmata.getPinMode(9) == PIN_MODE_PWM || Firmata.getPinMode(10) == PIN_MODE_PWM) return false;
  return servoCount < MAX_SERVOS - 1 || detachedServoCount > 0;
}

static bool maySetMode(uint8_t pin, uint8_t mode) {
  if (!IS_PIN_DIGITAL(pin)) return false;
  switch (mode) {
    case PIN_MODE_ANALOG:
      if (!IS_PIN_ANALOG(pin)) return false;
    case INPUT:
    case PIN_MODE_PULLUP:
      // An output that must be safe is never let float.
      return ruleOf(pin) == RULE_INPUT;
    case OUTPUT: return !latch.isSet && !isClaimed(pin);
    case PIN_MODE_PWM: return !latch.isSet && !isClaimed(pin) && mayBePwm(pin);
    case PIN_MODE_SERVO: return !latch.isSet && !isClaimed(pin) && mayBeServo(pin);
    default: return false;
  }
}

static bool mayWriteAnalog(uint8_t pin, uint16_t value) {
  if (latch.isSet || !IS_PIN_DIGITAL(pin)) return false;
  switch (Firmata.getPinMode(pin)) {
    case PIN_MODE_PWM: return value <= DUTY_MAX;
    case PIN_MODE_SERVO:
      if (servoPinMap[pin] >= MAX_SERVOS) return false;
      return value <= DEGREES_MAX || (value >= MIN_PULSE_WIDTH && value <= MAX_PULSE_WIDTH);
    default: return false;
  }
}

static bool mayConfigureServo(uint8_t pin, uint16_t minimum, uint16_t maximum) {
  if (!maySetMode(pin, PIN_MODE_SERVO) || pulsing[portOf(pin)] & bitOf(pin)) return false;
  return minimum >= MIN_PULSE_WIDTH && minimum < maximum && maximum <= MAX_PULSE_WIDTH;
}

static bool mayStartI2C() {
  for (uint8_t pin = 18; pin <= 19; pin++) if (ruleOf(pin) != RULE_INPUT || isClaimed(pin) || !isInputMode(Firmata.getPinMode(pin))) return false;
  return !latch.isSet;
}

static bool mayPassSysex(uint8_t command, const uint8_t *data, uint8_t count) {
  switch (command) {
    case REPORT_FIRMWARE:
    case CAPABILITY_QUERY:
    case ANALOG_MAPPING_QUERY: return count == 0;
    case PIN_STATE_QUERY: return count == 1;
    case SAMPLING_INTERVAL: return count == 2 && groups(data, 2) >= 10;
    case EXTENDED_ANALOG: return (count == 2 || count == 3) && mayWriteAnalog(data[0], groups(data + 1, count - 1));
    case SERVO_CONFIG: return count == 5 && mayConfigureServo(data[0], groups(data + 1, 2), groups(data + 3, 2));
    case I2C_CONFIG: return count == 2 && (isI2CEnabled ? !latch.isSet : mayStartI2C());
    case I2C_REQUEST: return count >= 4 && count % 2 == 0 && isI2CEnabled && !latch.isSet;
    default: return false;
  }
}

static bool mayPass(const uint8_t *frame, uint8_t length) {
  switch (frame[0]) {
    case START_SYSEX: return length >= 3 && mayPassSysex(frame[1], frame + 2, length - 3);
    case SET_PIN_MODE: return maySetMode(frame[1], frame[2]);
    case SET_DIGITAL_PIN_VALUE: return !latch.isSet && IS_PIN_DIGITAL(frame[1]);
    case REPORT_VERSION: return true;
  }
  const uint8_t index = frame[0] & 0x0F;
  switch (frame[0] & 0xF0) {
    case ANALOG_MESSAGE: return mayWriteAnalog(index, groups(frame + 1, 2));
    case DIGITAL_MESSAGE: return !latch.isSet && index < TOTAL_PORTS;
    case REPORT_ANALOG: return index < TOTAL_ANALOG_PINS && ruleOf(14 + index) == RULE_INPUT;
    case REPORT_DIGITAL: return index < TOTAL_PORTS;
    default: return false;
  }
}

// A reset by the host would make inputs outputs, drop servos, and leave high what is high: here it is a halt.
static bool serve(const uint8_t *frame, uint8_t length) {
  if (frame[0] == SYSTEM_RESET) {
    serveWord(WORD_HALT, frame, 0);
    return false;
  }
  if (frame[0] == START_SYSEX && frame[1] == 0x0F) {
    if (length >= 4) serveWord(frame[2], frame + 3, length - 4);
    return false;
  }
  return mayPass(frame, length);
}

// Finds a halt in a stream of bytes, wherever the frames around it begin and end.
class HaltFinder {
public:
  bool isHalt(uint8_t byte) {
    if (byte == SYSTEM_RESET) return true;
    const bool isWhole = byte == END_SYSEX && matched == 3;
    if (byte == START_SYSEX) matched = 1;
    else if (byte >= 0x80) matched = 0;
    else if (matched == 1) matched = byte == 0x0F ? 2 : 0;
    else if (matched == 2) matched = byte == WORD_HALT ? 3 : 0;
    return isWhole;
  }

private:
  uint8_t matched;
};

class Line : public Stream {
public:
  // A host that never stops talking does not keep the loop from its other duties.
  void startPass() {
    budget = PASS_BYTES_MAX;
    if (!hasLostHalt) return;
    hasLostHalt = false;
    serveWord(WORD_HALT, frame, 0);
  }

  int available() override {
    if (taken < passed) return passed - taken;
    for (uint8_t byte; budget > 0 && next(byte);) {
      budget--;
      if (!take(byte)) continue;
      const uint8_t length = held;
      held = 0;
      if (!serve(frame, length)) continue;
      taken = 0;
      passed = length;
      return length;
    }
    return 0;
  }

  int read() override { return taken < passed ? frame[taken++] : -1; }
  int peek() override { return taken < passed ? frame[taken] : -1; }
  void flush() override { Serial.flush(); }

  // While an answer waits for room on the line the host is heard: neither is a halt put off nor a byte lost to a full buffer.
  size_t write(uint8_t byte) override {
    while (Serial.availableForWrite() == 0) listen();
    return Serial.write(byte);
  }

private:
  uint8_t frame[FRAME_BYTES_MAX];
  uint8_t held;
  uint8_t missing;
  uint8_t passed;
  uint8_t taken;
  uint8_t budget;
  uint8_t backlog[BACKLOG_BYTES_MAX];
  uint8_t oldest;
  uint8_t waiting;
  bool isLossy;
  bool hasReadHalt;
  bool hasLostHalt;
  HaltFinder finder;

  // A halt acts as soon as it is read, before everything that was sent earlier and still waits. The nonce goes with it,
  // so that none of that can open the latch.
  bool receive(uint8_t &byte) {
    if (!Serial.available()) return false;
    byte = Serial.read();
    if (!finder.isHalt(byte)) return true;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) fall(CAUSE_HALT);
    latch.nonce = 0;
    hasReadHalt = true;
    return true;
  }

  // After a loss nothing goes on in the middle of a frame. A halt that has lost some of its own is answered all the same.
  bool isKept(uint8_t byte, bool hasRoom) {
    const bool wasLossy = isLossy;
    if (!hasRoom) isLossy = true;
    else if (byte >= 0x80) isLossy = false;
    if (hasReadHalt && (wasLossy || isLossy)) hasLostHalt = true;
    hasReadHalt = false;
    return !isLossy;
  }

  void listen() {
    uint8_t byte;
    if (!receive(byte)) return;
    if (isKept(byte, waiting < BACKLOG_BYTES_MAX)) backlog[(uint8_t)(oldest + waiting++) % BACKLOG_BYTES_MAX] = byte;
  }

  bool next(uint8_t &byte) {
    if (waiting == 0) {
      while (receive(byte)) if (isKept(byte, true)) return true;
      return false;
    }
    byte = backlog[oldest];
    oldest = (oldest + 1) % BACKLOG_BYTES_MAX;
    waiting--;
    return true;
  }

  // Whether this byte completes a frame. A status byte ends whatever was half sent.
  bool take(uint8_t byte) {
    const bool isSysex = held > 0 && frame[0] == START_SYSEX;
    if (isSysex && byte == END_SYSEX) {
      frame[held++] = byte;
      return true;
    }
    if (byte >= 0x80) return begin(byte);
    if (held == 0) return false;
    frame[held++] = byte;
    if (!isSysex) return --missing == 0;
    if (held == FRAME_BYTES_MAX) held = 0;
    return false;
  }

  bool begin(uint8_t status) {
    held = 0;
    switch (status) {
      case START_SYSEX: missing = 1; break;
      case SET_PIN_MODE:
      case SET_DIGITAL_PIN_VALUE: missing = 2; break;
      case REPORT_VERSION:
      case SYSTEM_RESET: missing = 0; break;
      default:
        switch (status & 0xF0) {
          case ANALOG_MESSAGE:
          case DIGITAL_MESSAGE: missing = 2; break;
          case REPORT_ANALOG:
          case REPORT_DIGITAL: missing = 1; break;
          default: return false;
        }
    }
    frame[held++] = status;
    return missing == 0;
  }
};
