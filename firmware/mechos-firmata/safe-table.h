// The safe table: what each pin is when the robot is halted. It lives in EEPROM, and in RAM as masks of the three ports.

enum Rule : uint8_t { RULE_INPUT = 0, RULE_LOW = 1, RULE_HIGH = 2, RULE_PULSE = 3 };

static const uint8_t TABLE_PINS = 20;
static const uint8_t RULE_BYTES = (TABLE_PINS + 2) / 3;
static const uint8_t NAME_MAX = 15;
// Length of name, name, number of pins, rules: as they are sent, stored, and counted in the CRC.
static const uint8_t TABLE_BYTES_MAX = 1 + NAME_MAX + 1 + RULE_BYTES;

// Address 0 of an EEPROM is the first to suffer when the voltage drops in the middle of a write.
static uint16_t *const BOOT_RING = (uint16_t *)8;
static const uint8_t BOOT_RING_SLOTS = 16;
static uint8_t *const TABLE_MARK = (uint8_t *)64;
static uint8_t *const TABLE_START = (uint8_t *)65;
static const uint8_t MARK_WHOLE = 0xA5;
static const uint8_t MARK_TORN = 0x00;

enum Port : uint8_t { PORT_B, PORT_C, PORT_D, PORTS };

static struct SafeTable {
  bool isValid;
  uint16_t crc;
  uint8_t bytes[TABLE_BYTES_MAX];
  // Bits of each port that are outputs, those of them that are high, and those that keep their servo pulses.
  uint8_t outputs[PORTS];
  uint8_t high[PORTS];
  uint8_t pulse[PORTS];
} safeTable;

// The pins that are ours: all but the serial line, the crystal and the reset.
static const uint8_t ownPins[PORTS] = {0x3F, 0x3F, 0xFC};

static Port portOf(uint8_t pin) { return pin < 8 ? PORT_D : pin < 14 ? PORT_B : PORT_C; }
static uint8_t bitOf(uint8_t pin) { return 1 << (pin < 8 ? pin : pin < 14 ? pin - 8 : pin - 14); }

static uint8_t tableLength(const uint8_t *bytes) { return 1 + bytes[0] + 1 + RULE_BYTES; }

static Rule ruleIn(const uint8_t *bytes, uint8_t pin) {
  const uint8_t three = bytes[1 + bytes[0] + 1 + pin / 3];
  return (Rule)(three >> (pin % 3 * 2) & 3);
}

static Rule ruleOf(uint8_t pin) { return safeTable.isValid ? ruleIn(safeTable.bytes, pin) : RULE_INPUT; }

static uint16_t crcOf(const uint8_t *bytes, uint8_t length) {
  uint16_t crc = 0xFFFF;
  for (uint8_t i = 0; i < length; i++) crc = _crc_xmodem_update(crc, bytes[i]);
  return crc;
}

// The number of bytes must have been checked: at least 1, and as many as the length of the name asks for.
static bool isTable(const uint8_t *bytes) {
  const uint8_t nameLength = bytes[0];
  for (uint8_t i = 1; i <= nameLength; i++) if (bytes[i] < 0x20 || bytes[i] > 0x7E) return false;
  if (bytes[1 + nameLength] != TABLE_PINS) return false;
  for (uint8_t i = 0; i < RULE_BYTES; i++) if (bytes[2 + nameLength + i] >> (i == RULE_BYTES - 1 ? TABLE_PINS * 2 - 6 * (RULE_BYTES - 1) : 6)) return false;
  return ruleIn(bytes, 0) == RULE_INPUT && ruleIn(bytes, 1) == RULE_INPUT;
}

static bool readTable(SafeTable &table) {
  if (eeprom_read_byte(TABLE_MARK) != MARK_WHOLE) return false;
  table.bytes[0] = eeprom_read_byte(TABLE_START);
  if (table.bytes[0] > NAME_MAX) return false;
  const uint8_t length = tableLength(table.bytes);
  for (uint8_t i = 1; i < length; i++) table.bytes[i] = eeprom_read_byte(TABLE_START + i);
  table.crc = crcOf(table.bytes, length);
  return eeprom_read_word((const uint16_t *)(TABLE_START + length)) == table.crc && isTable(table.bytes);
}

// Takes the table from EEPROM; a blank, torn or worn one makes every pin an input. The outputs are not touched.
static void loadTable() {
  static SafeTable next;
  memset(&next, 0, sizeof next);
  next.isValid = readTable(next);
  if (!next.isValid) memset(&next, 0, sizeof next);
  else for (uint8_t pin = 2; pin < TABLE_PINS; pin++) {
    const Rule rule = ruleIn(next.bytes, pin);
    if (rule != RULE_INPUT) next.outputs[portOf(pin)] |= bitOf(pin);
    if (rule == RULE_HIGH) next.high[portOf(pin)] |= bitOf(pin);
    if (rule == RULE_PULSE) next.pulse[portOf(pin)] |= bitOf(pin);
  }
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) safeTable = next;
}

static bool isStored(const uint8_t *bytes, uint8_t length) {
  if (!safeTable.isValid || tableLength(safeTable.bytes) != length) return false;
  return memcmp(bytes, safeTable.bytes, length) == 0;
}

// Takes a tenth of a second. The mark comes last: power that is lost on the way leaves no table at all.
static void storeTable(const uint8_t *bytes, uint8_t length) {
  eeprom_update_byte(TABLE_MARK, MARK_TORN);
  for (uint8_t i = 0; i < length; i++) {
    wdt_reset();
    eeprom_update_byte(TABLE_START + i, bytes[i]);
  }
  eeprom_update_word((uint16_t *)(TABLE_START + length), crcOf(bytes, length));
  eeprom_update_byte(TABLE_MARK, MARK_WHOLE);
  eeprom_busy_wait();
}

static uint16_t boots;

// Counts in a ring, so that a cell wears out after 1.6 million boots. A number belongs to the slot that it names:
// what a lost write has left behind rarely does, and is then passed over.
static void countBoot() {
  uint16_t last = 0;
  for (uint8_t slot = 0; slot < BOOT_RING_SLOTS; slot++) {
    const uint16_t count = eeprom_read_word(BOOT_RING + slot);
    const bool isCount = count != 0 && count != 0xFFFF && count % BOOT_RING_SLOTS == slot;
    if (isCount && (last == 0 || (int16_t)(count - last) > 0)) last = count;
  }
  boots = last == 0xFFFE ? 1 : last + 1;
  eeprom_update_word(BOOT_RING + boots % BOOT_RING_SLOTS, boots);
}
