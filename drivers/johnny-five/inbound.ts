import { type Report, readReport } from '../guardian/reports.ts'

/** Lets through what firmata-io can take. It is a wall, not a parser: what is let through is as it came. */
export interface InboundCheck {
  /** The report, and whether firmata-io may see its frame; undefined for what nobody may see. */
  admit(frame: Uint8Array): { readonly report: Report; readonly forward: boolean } | undefined
  /** Frames that were well-formed but not admitted, since the start. */
  readonly dropped: number
}

/** The most pins that firmata-io and a pin number on the wire can name. */
const pinsMax = 128
/** 10 bits, on every board that a configuration may name. */
const analogMax = 1023

/**
 * The check for one connection. firmata-io throws at, or is corrupted by, some messages that a noisy line can produce:
 * a firmware report without a name, a pin state or an analog mapping for pins that it does not know, a second set of
 * capabilities or of the mapping, any 1-wire reply. None of them gets past. Never throws.
 */
export function makeInboundCheck(): InboundCheck {
  // What comes before is of an earlier run: a board goes on streaming until it is asked who it is.
  let hasSpoken = false
  let pinCount = 0
  let isMapped = false
  let dropped = 0

  const canTake = (report: Report): boolean => {
    switch (report.kind) {
      case 'analog':
        return hasSpoken && report.value <= analogMax
      case 'port':
        return hasSpoken
      case 'version':
      case 'firmware':
        hasSpoken = true
        return true
      case 'echo':
      case 'text':
      case 'deadman':
      case 'other':
        return true
      case 'capabilities':
        if (pinCount > 0 || report.pins.length > pinsMax) return false
        pinCount = report.pins.length
        return true
      case 'analogMapping':
        if (isMapped || pinCount === 0 || report.channels.length !== pinCount) return false
        isMapped = true
        return true
      case 'pinState':
        return report.pin < pinCount
    }
  }

  return {
    admit(frame) {
      const report = readReport(frame)
      if (report && canTake(report)) return { report, forward: isForFirmata(report) }
      dropped++
      return undefined
    },
    get dropped() {
      return dropped
    },
  }
}

function isForFirmata(report: Report): boolean {
  const { kind } = report
  return kind !== 'echo' && kind !== 'text' && kind !== 'deadman' && kind !== 'other'
}
