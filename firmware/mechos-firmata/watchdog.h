// The watchdog of the chip, 500 ms. While the board runs only a beat feeds it; while it is latched every pass of the
// loop does. When it is due the interrupt cuts the outputs; a loop that does not come round in another 500 ms is reset.

#ifdef MECHOS_WATCHDOG_INTERRUPT_ONLY
static const uint8_t WATCHDOG_MODE = _BV(WDIE);
#else
static const uint8_t WATCHDOG_MODE = _BV(WDIE) | _BV(WDE);
#endif
static const uint8_t WATCHDOG_500_MS = _BV(WDP2) | _BV(WDP0);

ISR(WDT_vect) {
  watchdogTrace = WATCHDOG_TRACE;
  fall(CAUSE_WATCHDOG);
}

static void startWatchdog() {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    wdt_reset();
    WDTCSR = _BV(WDCE) | _BV(WDE);
    WDTCSR = WATCHDOG_MODE | WATCHDOG_500_MS;
  }
}

// Whether the last life of this chip ended because its loop was stuck.
static bool watchdogWasLast() {
  const bool hasTrace = watchdogTrace == WATCHDOG_TRACE && !(resetFlags & _BV(PORF));
  watchdogTrace = 0;
  return hasTrace || resetFlags & _BV(WDRF);
}

static void keepWatchdog() {
  if (watchdogTrace == WATCHDOG_TRACE) {
    watchdogTrace = 0;
    // The interrupt has taken this bit back; a flag that is written as 1 would be cleared.
    WDTCSR = (WDTCSR & ~_BV(WDIF)) | _BV(WDIE);
  }
  if (latch.isSet) wdt_reset();
}
