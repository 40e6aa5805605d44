#!/bin/sh
# Builds StandardFirmata 2.5.8 for the Arduino Uno and prints the path of the hex file: see build.sh.
exec sh "$(dirname -- "$0")/build.sh" standard-firmata
