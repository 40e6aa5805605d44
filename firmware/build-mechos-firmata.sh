#!/bin/sh
# Builds MechosFirmata, the firmware with a deadman, for the Arduino Uno and prints the path of the hex file: see build.sh.
# With the argument `interrupt` its watchdog cuts the outputs and never resets the chip, for boards whose bootloader
# cannot cope with a watchdog that is still running (docs/firmware.md).
case ${1-} in
  '') target=mechos-firmata ;;
  interrupt) target=mechos-firmata-interrupt ;;
  *)
    echo "usage: $0 [interrupt]" >&2
    exit 2
    ;;
esac
exec sh "$(dirname -- "$0")/build.sh" "$target"
