# Measures with a native program, on any POSIX shell: Debian's dash and Android's mksh alike. Its
# first argument names who measures. Everything goes into answer.txt, in sections that a line with
# the token begins. Ends, and what it started with it, when its standard input closes.
exec 3<&0 </dev/null
umask 077
token='@TOKEN@'
answer=answer.txt

fail() {
  echo "Error: $1" >&2
  [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
  exit 3
}

section() { printf '\n%s %s\n' "$token" "$1" >> "$answer"; }

# One measurement at a time: the same file that the Python program locks. The system frees it when
# the last process that holds it ends. Android's toybox and util-linux have flock.
lock="${TMPDIR:-/tmp}/edgeopt-device.lock"
[ -d "${lock%/*}" ] && [ -w "${lock%/*}" ] || lock=/data/local/tmp/edgeopt-device.lock
[ -e "$lock" ] || (umask 0; : > "$lock") || fail "$lock can't be written"
command -v flock > /dev/null || fail "there is no flock on this device, which keeps measurements apart"
exec 9< "$lock"
# Said again at each program that shall have it: Android's shell closes what exec opened.
flock -n 9 9<&9 || fail "another measurement runs on this device: $(head -c 200 "$lock")"
(printf '%s (process %s)' "$1" "$$" > "$lock") 2> /dev/null

# The watcher outlives a killed connection for a moment only; it must not hold the lock.
(
  cat <&3 > /dev/null
  kill -9 $$
  [ ! -f child ] || kill -9 "$(cat child)"
) > /dev/null 2>&1 9<&- &
watcher=$!
exec 3<&-

state() {
  for file in /proc/cpuinfo /proc/meminfo /proc/loadavg /proc/device-tree/model \
    /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor \
    /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq \
    /sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count \
    /sys/devices/platform/soc/soc:firmware/get_throttled \
    /sys/class/thermal/thermal_zone[0-9]*/type /sys/class/thermal/thermal_zone[0-9]*/temp; do
    [ ! -r "$file" ] || { section "$1$file"; head -c 65536 "$file" >> "$answer" 2> /dev/null; }
  done
  section "$1/at"
  date -u +%Y-%m-%dT%H:%M:%S+00:00 >> "$answer"
}

# step NAME PROGRAM ARGUMENTS...: what it says, its exit code, and the times of its calls.
step() {
  name=$1
  shift
  rm -f times.csv
  "$@" > said.txt 2>&1 9<&9 &
  echo $! > child
  wait $!
  code=$?
  rm -f child
  section "said/$name"
  tail -c 262144 said.txt >> "$answer"
  if [ -f times.csv ]; then
    section "times/$name"
    cut -d, -f2 times.csv | head -n 100000 >> "$answer"
  fi
  section "code/$name"
  echo "$code" >> "$answer"
  [ "$code" -eq 0 ] || finish
}

finish() {
  state after
  section end
  kill "$watcher" 2> /dev/null
  exit 0
}

section uname
uname -s >> "$answer"
uname -r >> "$answer"
uname -m >> "$answer"
command -v getprop > /dev/null && { section board; getprop ro.product.model >> "$answer"; }
[ ! -e /etc/edgeopt-emulated ] || section emulated
chmod 700 @PROGRAMS@
export LD_LIBRARY_PATH="$PWD/program${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
state before
@STEPS@
finish
