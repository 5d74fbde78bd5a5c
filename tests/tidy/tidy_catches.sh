#!/bin/bash
# Proves that tidy.sh fails for each thing it forbids, and for nothing in a tree without them.
set -euo pipefail

tidy="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/tidy.sh"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
missed=0

plant_clean_tree() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/{messages,actors,runtime/control,runtime/daemon,cmake,docs,tests/actors}
  printf '%s\n' 'messages:' 'actors: messages' 'runtime: actors' 'runtime/control:' 'runtime/daemon: runtime/control' \
    >"$tree/cmake/rooms.txt"
  echo '#pragma once' >"$tree/runtime/control/api.hpp"
  echo '#include "runtime/control/api.hpp"' >"$tree/runtime/daemon/boot.hpp"
  echo '#include <cbor.h>' >"$tree/messages/wire_codec.cpp"
  echo '#pragma once' >"$tree/messages/frame.hpp"
  echo '#include "messages/frame.hpp"' >"$tree/actors/listener.cpp"
  echo '#include "actors/listener.hpp"' >"$tree/runtime/daemon.cpp"
  echo '#include <openssl/evp.h>' >"$tree/runtime/signer.hpp"
  printf '%s\n' '#define CAF_SUITE listener' 'CAF_TEST(it listens) {}' >"$tree/tests/actors/listener_test.cpp"
  echo '| them | `listener: it listens` |' >"$tree/docs/evidence.md"
}

# catches RULE FILE LINE: FILE with LINE added makes tidy.sh fail and name the rule and the file. With a fourth argument
# FILE is a folder, and that the name of the file in it.
catches() {
  plant_clean_tree
  [[ -z "${4:-}" ]] || mkdir -p "$tree/$2"
  echo "$3" >>"$tree/$2${4:+/$4}"
  local said
  if said="$("$tidy" "$tree")" || [[ "$said" != *"$1"*"$2"* ]]; then
    printf 'not caught: %s: %s in %s\n' "$1" "$3" "$2"
    missed=1
  fi
}

plant_clean_tree
echo 'See `tests/actors/listener_test.cpp`, `actors/listener` and [this](README.md#there).' >"$tree/README.md"
if [[ "$("$tidy" "$tree")" != *"runtime/daemon -> runtime/control(1)"* ]]; then
  echo "the graph of rooms is not printed, or something else is wrong with a clean tree:"
  "$tidy" "$tree" || true
  missed=1
fi

catches "rooms include what" runtime/control/api.hpp '#include "runtime/daemon/boot.hpp"'
catches "rooms include what" runtime/control/api.hpp '#  include <runtime/daemon/boot.hpp>'
catches "rooms include what" runtime/control/api.hpp '#include "../daemon/boot.hpp"'
catches "rooms include what" runtime/control/api.hpp '#include "messages/frame.hpp"'
catches "rooms include what" runtime/probes '#include "messages/frame.hpp"' tap.hpp
catches "rooms include what" cmake/rooms.txt 'runtime/control: messages'
catches "dependencies run" messages/frame.hpp '#include "actors/listener.hpp"'
catches "dependencies run" messages/frame.hpp '#  include "runtime/daemon.hpp"'
catches "dependencies run" actors/listener.cpp '#include "runtime/daemon.hpp"'
catches "dependencies run" actors/listener.cpp '#include "../runtime/daemon.hpp"'
catches "dependencies run" runtime/daemon.cpp '#include "tests/support/cells.hpp"'
catches "knows no CAF" messages/frame.hpp '#include <caf/all.hpp>'
catches "wire_codec.cpp includes cbor.h" messages/frame.hpp '#include <cbor.h>'
catches "wire_codec.cpp includes cbor.h" runtime/daemon.cpp '#include <cbor.h>'
catches "no crypto header" messages/frame.hpp '#include <openssl/evp.h>'
catches "no crypto header" actors/listener.cpp '#include <sodium.h>'
catches "at most 400 lines" actors/listener.cpp "$(printf '//\n%.0s' {1..400})"
catches "at most 70 lines" actors/listener.cpp "$(printf 'void listen() {\n'; printf '  ;\n%.0s' {1..69}; printf '}')"
catches "at most 70 lines" actors/listener.cpp "$(printf 'struct s {\n  void listen() {\n'; printf '    ;\n%.0s' {1..69}; printf '  }\n};')"
catches "spell event types and lines" runtime/daemon.cpp 'if (type == "run.v1.ended") return;'
catches "spell event types and lines" actors/listener.cpp 'out += "the log did not take run.v1.ended";'
catches "spell event types and lines" runtime/daemon.cpp 'constexpr auto key = R"(,"dssematerial":")";'
catches "no reminders" runtime/daemon.cpp '// TO''DO: later'
catches "named as its stem" tests/actors/listener_test.cpp '#define CAF_SUITE other'
catches "named as its stem" tests/actors/decoder_test.cpp '// no suite'
catches "files that there are" README.md '`tests/actors/none_test.cpp` proves it'
catches "files that there are" README.md 'see [there](docs/none.md)'
catches "sources name documents" actors/listener.cpp '// See docs/none.md.'
catches "tests that there are" docs/evidence.md '| them | `listener: it is not there` |'
catches "tests that there are" docs/evidence.md '| them | `nobody: it listens` |'
catches "docs/glossary.md has another word" actors/listener.cpp '// It tells the sink.'
catches "docs/glossary.md has another word" actors/listener.cpp 'int silences_told = 0;'
catches "docs/glossary.md has another word" README.md 'the verdict of it'
catches "a name says what" messages/frame.hpp 'struct frame_manager {};'
catches "a name says what" messages/frame.hpp 'int get_size();'
catches "explains each event" actors/events.cpp '  emit(level::info, "unheard_of", {});'

# A back edge that the table allows is a cycle all the same.
plant_clean_tree
echo '#include "runtime/daemon/boot.hpp"' >>"$tree/runtime/control/api.hpp"
echo 'runtime/control: runtime/daemon' >>"$tree/cmake/rooms.txt"
if said="$("$tidy" "$tree")" || [[ "$said" != *"a cycle: "*"runtime/control"* ]]; then
  echo "not caught: a cycle of rooms"
  missed=1
fi

# Sideways: the listener includes a header that includes the crypto header.
plant_clean_tree
echo '#include <sodium.h>' >"$tree/actors/keys.hpp"
echo '#include "actors/keys.hpp"' >>"$tree/messages/frame.hpp"
said="$("$tidy" "$tree" || true)"
if [[ "$said" != *"no crypto header"*"actors/keys.hpp"* ]]; then
  echo "not caught: a crypto header behind another header"
  missed=1
fi

exit "$missed"
