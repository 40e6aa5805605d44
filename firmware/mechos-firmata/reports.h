// How reports go out, byte by byte, in groups of seven bits.

// Waits for room on the line, and listens for a halt meanwhile.
static void say(uint8_t byte);

static void sayGroups(uint32_t value, uint8_t groups) {
  for (; groups > 0; groups--) {
    say(value & 0x7F);
    value >>= 7;
  }
}

static void startReport(uint8_t word) {
  say(START_SYSEX);
  say(0x0F);
  say(word);
}

static void endReport() { say(END_SYSEX); }
