#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/evidence/quarantine_directory.hpp"
#include "tests/support/frame_bodies.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE inspect_command
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome inspect(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "inspect");
  process child{{program_path("cellos-telemetryctl"), arguments}};
  const int code = child.wait();
  return {code, child.out(), child.err()};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

const cbor::octets honest = framed(body_of(honest_pairs()));

struct quarantine {
  /// Sets the chunk aside as the daemon does; its path.
  std::string keep(const cbor::octets& bytes) const {
    received_chunk chunk;
    chunk.sequence = 17;
    chunk.received_at = wall_time{1'700'000'000'123ms};
    chunk.bytes = bytes;
    quarantine_directory store{directory.path()};
    return directory / store.set_aside("cell-1", chunk).value();
  }
  std::string write(std::string_view name, const cbor::octets& bytes) const {
    std::ofstream{directory / name, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                            static_cast<std::streamsize>(bytes.size()));
    return directory / name;
  }

  temporary_directory directory;
};

/// What a terminal would obey, and no text, in a name the guest chose.
const std::string hostile_comm = "\x1b[2J\u202e\"\n";

}  // namespace

CAF_TEST(each_frame_is_shown_with_its_place_and_what_it_declares) {
  const quarantine store;
  const outcome shown = inspect({store.keep(cbor::join({honest, honest}))});
  CAF_CHECK_EQUAL(shown.code, 0);
  CAF_CHECK(shown.out.starts_with("cell cell-1, chunk 17, received 2023-11-14T22:13:20.123000000Z\n"));
  CAF_REQUIRE_EQUAL(honest.size(), 110u);
  CAF_CHECK(has(shown.out, "\n     0     106  accepted  process.spawned  4242    5123456789  \"bash\"\n"));
  CAF_CHECK(has(shown.out, "\n   110     106  accepted  process.spawned"));
  CAF_CHECK(has(shown.out, "\n220 bytes, 2 frames: 2 accepted, 0 refused\n"));
}

CAF_TEST(what_is_refused_is_shown_with_its_kind_and_bytes) {
  const quarantine store;
  const cbor::octets newer = framed(body_of(with(honest_pairs(), "content_version", cbor::number(0x0200))));
  const outcome shown =
      inspect({store.keep(cbor::join({honest, framed({0xA0, 1, 2}), newer, cbor::octets{9, 0, 0, 0, 'x'}}))});
  CAF_CHECK_EQUAL(shown.code, 1);
  CAF_CHECK(has(shown.out, "3  malformed_frame"));
  CAF_CHECK(has(shown.out, "\\xa0\\x01\\x02\n"));
  CAF_CHECK(has(shown.out, "unsupported_version"));
  CAF_CHECK(has(shown.out, "9  torn_frame"));
  CAF_CHECK(
      has(shown.out, "4 frames: 1 accepted, 3 refused: malformed_frame 1, unsupported_version 1, torn_frame 1\n"));
}

CAF_TEST(no_byte_of_a_guest_reaches_a_terminal) {
  const quarantine store;
  auto pairs = plus(with(honest_pairs(0x0101), "guest_comm", cbor::text(hostile_comm)), "seq", cbor::number(4));
  pairs = plus(plus(pairs, "dropped", cbor::number(2)), "cell_id", cbor::text("another"));
  const std::string file = store.keep(cbor::join({framed(body_of(pairs)), framed(cbor::text(hostile_comm))}));
  const outcome shown = inspect({file});
  CAF_CHECK(has(shown.out, R"("\x1b[2J\xe2\x80\xae\x22\x0a"  seq 4, dropped 2, forged attribution)"));
  const outcome document = inspect({file, "--json"});
  for (const std::string& out : {shown.out, document.out}) {
    CAF_CHECK(
        std::all_of(out.begin(), out.end(), [](char each) { return each == '\n' || (each >= 32 && each < 127); }));
  }
  CAF_CHECK_EQUAL(json::parse(document.out).at("frames").at(0).at("guest_comm").get<std::string>(), hostile_comm);
}

CAF_TEST(a_program_reads_one_object) {
  const quarantine store;
  const auto pairs = plus(honest_pairs(0x0101), "seq", cbor::number(4));
  const cbor::octets frame = framed(body_of(pairs));
  const outcome shown = inspect({"--json", store.keep(cbor::join({frame, framed({0xA0, 1, 2})}))});
  CAF_CHECK_EQUAL(shown.code, 1);
  const json expected = {
      {"cell_id", "cell-1"},
      {"chunk", "17"},
      {"received_at", "2023-11-14T22:13:20.123000000Z"},
      {"bytes", frame.size() + 7},
      {"accepted", 1},
      {"refused", {{"malformed_frame", 1}}},
      {"frames",
       {{{"offset", 0},
         {"length", frame.size() - 4},
         {"result", "accepted"},
         {"probe_source", "process.spawned"},
         {"guest_pid", 4242},
         {"guest_comm", "bash"},
         {"guest_monotonic_ns", "5123456789"},
         {"seq", "4"},
         {"forged_attribution", false}},
        {{"offset", frame.size()}, {"length", 3}, {"result", "malformed_frame"}, {"body_hex", "a00102"}}}}};
  CAF_CHECK_EQUAL(json::parse(shown.out).dump(2), expected.dump(2));
}

CAF_TEST(a_file_of_another_name_is_decoded_without_saying_whose_it_is) {
  const quarantine store;
  const outcome shown = inspect({store.write("frames", honest)});
  CAF_CHECK_EQUAL(shown.code, 0);
  CAF_CHECK(shown.out.starts_with("OFFSET  LENGTH  RESULT"));
  CAF_CHECK(!json::parse(inspect({store.write("frames", honest), "--json"}).out).contains("cell_id"));
}

CAF_TEST(what_cannot_be_a_chunk_is_a_sentence_and_exit_code_3) {
  const quarantine store;
  const auto refused = [](const std::string& path, std::string_view why) {
    const outcome reported = inspect({path});
    CAF_CHECK_EQUAL(reported.code, 3);
    CAF_CHECK_EQUAL(reported.out, "");
    CAF_CHECK_EQUAL(reported.err, "cellos-telemetryctl: \"" + path + "\" " + std::string{why} + "\n");
  };
  refused(store.directory / "absent.bin", "cannot be read: No such file or directory");
  refused(store.directory.path(), "cannot be read: Is a directory");
  refused(store.write("large", cbor::octets(1024 * 1024 + 1)), "has over 1 MiB: it is no quarantined chunk");
  CAF_CHECK_EQUAL(inspect({}).code, 2);
}
