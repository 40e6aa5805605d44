// What the pins put out, and the one way to make it safe. All of it may run in an interrupt.

// Bits of each port whose pin gets servo pulses.
static volatile uint8_t pulsing[PORTS];

template <Port port>
static inline void makePortSafe(volatile uint8_t &ddr, volatile uint8_t &levels) {
  const uint8_t kept = pulsing[port] & safeTable.pulse[port];
  const uint8_t outputs = safeTable.outputs[port] & ~kept;
  const uint8_t inputs = ownPins[port] & ~safeTable.outputs[port];
  // An output that becomes an input lets go before it loses its level; what was an input keeps its pull-up.
  const uint8_t released = ddr & inputs;
  ddr &= ~inputs;
  levels = (levels & ~(outputs | released)) | (safeTable.high[port] & outputs);
}

static const uint8_t COM_BITS = 0xF0;

// Levels before timers, and both before directions: no pin shows a level on the way that is neither its old nor its
// safe one. Interrupts must be off.
static void makeSafe() {
  makePortSafe<PORT_B>(DDRB, PORTB);
  makePortSafe<PORT_C>(DDRC, PORTC);
  makePortSafe<PORT_D>(DDRD, PORTD);
  TCCR0A &= ~COM_BITS;
  TCCR1A &= ~COM_BITS;
  TCCR2A &= ~COM_BITS;
  DDRB |= safeTable.outputs[PORT_B];
  DDRC |= safeTable.outputs[PORT_C];
  DDRD |= safeTable.outputs[PORT_D];
}

// Of the cause of this reset there are two traces: a register, which some bootloaders clear, and a word in RAM that
// outlives a reset and that only a loop that goes on takes back.
static uint8_t resetFlags __attribute__((section(".noinit")));
static volatile uint32_t watchdogTrace __attribute__((section(".noinit")));
static const uint32_t WATCHDOG_TRACE = 0x5AFE0FF5;

// A chip that the watchdog has reset starts with the watchdog on, at its shortest.
void quietWatchdog() __attribute__((naked, used, section(".init3")));
void quietWatchdog() {
  resetFlags = MCUSR;
  MCUSR = 0;
  wdt_disable();
}

// As soon as there is RAM, and before anything of Arduino runs, the pins are what the table says.
static void __attribute__((noinline)) startSafe() {
  loadTable();
  makeSafe();
}

void bootSafe() __attribute__((naked, used, section(".init5")));
void bootSafe() { startSafe(); }
