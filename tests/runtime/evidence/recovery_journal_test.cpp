#define CAF_SUITE recovery_journal
#include "runtime/evidence/recovery_journal.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/journal_key.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::string run_chain = "host-a/cell-1/run-1/1700000000000";
const std::string host_chain = "host-a/1699999999999";

journal_mac_ptr mac_of(std::uint8_t number) {
  const std::array<std::uint8_t, 32> seed{number};
  auto key = std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, "key", seed));
  return journal_mac_of(
      std::make_shared<const host_sealing>(std::make_shared<const signing_key>(std::move(key)), nullptr, 1000));
}

chain_head head(const std::string& chain, std::uint64_t last, std::uint8_t digest = 1) {
  chain_head made;
  made.position = {chain, last + 1, true, {digest}, "key"};
  if (chain != host_chain) {
    run_totals totals;
    totals.received = last;
    totals.refused.add(telemetry_errc::torn_frame, 2);
    made.run = run_state{std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:\"x"}),
                         totals, true, false, false};
  }
  return made;
}

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  std::unique_ptr<evidence_directory> directory = evidence_directory::claim(dir.path(), files).directory;
  journal_owner owner{"host-a", {signing_statement::kind::checkpoint, 1000, 1s}, "boot-1"};
  journal_mac_ptr mac = mac_of(1);
  std::uint64_t offset = 0;

  recovery_journal journal() const { return {*directory, owner, mac, left()}; }
  journal_content left(const std::string& boot = "boot-1") const { return read_journal(*directory, {mac}, boot); }
  /// Of the first chain that is left. By value: a check must not refer into what is gone.
  std::uint64_t first_next_event() const { return left().header->chains.at(0).head.position.next_event; }
  std::string file() const { return (dir.path() / recovery_journal::file_name).string(); }

  std::string text() const {
    std::ostringstream out;
    out << std::ifstream{file()}.rdbuf();
    return out.str();
  }
  void write(const std::string& text) const { std::ofstream{file(), std::ios::trunc} << text; }

  std::error_code append(recovery_journal& journal, const chain_head& made, std::uint64_t bytes = 100) {
    const segment_position begin{1, offset};
    if (const auto failure = journal.note({begin, bytes, {1, 0}, {made}})) return failure;
    offset += bytes;
    journal.applied({&made, 1}, {1, offset}, false);
    return {};
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(recovery_journal_tests, fixture)

CAF_TEST(what was noted is read again) {
  auto first = journal();
  CAF_CHECK_EQUAL(to_string(*left().trouble), "absent");
  CAF_REQUIRE(!first.conclude({{}, 42}, {1, 0}, {1, 0}));
  CAF_CHECK(!append(first, head(run_chain, 7)));
  auto said = head(host_chain, 3);
  said.listings = {{run_chain, run_listing::kind::opened}, {"other", run_listing::kind::closed}};
  CAF_CHECK(!append(first, said));
  const journal_content read = left();
  CAF_REQUIRE(read.header.has_value());
  CAF_CHECK(!read.trouble);
  CAF_CHECK_EQUAL(read.header->host_id, "host-a");
  CAF_CHECK(read.header->signing == owner.signing);
  CAF_CHECK_EQUAL(read.header->highest_epoch, 42u);
  CAF_REQUIRE_EQUAL(read.records.size(), 2u);
  const chain_head& run = read.records[0].heads.at(0);
  CAF_CHECK_EQUAL(run.position.chain, run_chain);
  CAF_CHECK_EQUAL(run.position.next_event, 8u);
  CAF_CHECK(run.position.digest == event_digest{1});
  CAF_CHECK_EQUAL(run.position.key_id, "key");
  CAF_REQUIRE(run.run.has_value());
  CAF_CHECK(*run.run->attribution == (host_stamp{"host-a", "cell-1", "run-1", "sha256:\"x"}));
  CAF_CHECK_EQUAL(run.run->totals.received, 7u);
  CAF_CHECK_EQUAL(run.run->totals.refused[telemetry_errc::torn_frame], 2u);
  CAF_CHECK(run.run->silence_told && !run.run->resumed && !run.run->ended);
  CAF_CHECK_EQUAL(read.records[1].heads.at(0).listings.size(), 2u);
  CAF_CHECK(read.records[1].end() == (segment_position{1, 200}));
}

CAF_TEST(begun anew it says the same and forgets what was closed in earlier segments) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(host_chain, 1));
  append(made, head(run_chain, 1));
  append(made, head(run_chain, 5, 5));
  auto ended = head("host-a/cell-2/run-1/1700000000001", 9);
  ended.run->ended = true;
  append(made, ended);
  CAF_REQUIRE(!made.begin_anew({1, 400}, {1, 400}));
  journal_content read = left();
  CAF_REQUIRE(read.header.has_value());
  CAF_CHECK(read.records.empty());
  CAF_REQUIRE_EQUAL(read.header->chains.size(), 3u);
  CAF_CHECK(read.header->begin == (segment_position{1, 400}));
  CAF_CHECK_EQUAL(read.header->highest_epoch, 1'700'000'000'001u);
  const auto expected = expected_by(*read.header, read.records);
  CAF_CHECK_EQUAL(expected.at(run_chain).last().position.next_event, 6u);
  CAF_CHECK(expected.at("host-a/cell-2/run-1/1700000000001").closed);
  CAF_REQUIRE(!made.begin_anew({2, 0}, {2, 0}));
  CAF_CHECK_EQUAL(left().header->chains.size(), 2u);
}

CAF_TEST(without the key nothing can be added changed or left out but at the end) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  for (std::uint64_t last = 1; last <= 5; ++last) append(made, head(run_chain, last));
  const std::string whole = text();
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write(changed);
    const journal_content read = left();
    const bool noticed = read.trouble == journal_trouble::unauthentic && read.records.size() < 5;
    if (!noticed) CAF_ERROR("byte " << at << " was changed unnoticed");
  }
  write(whole);
  CAF_MESSAGE("a line taken out of the middle");
  const std::size_t second = whole.find('\n', whole.find('\n') + 1) + 1;
  write(whole.substr(0, second) + whole.substr(whole.find('\n', second) + 1));
  CAF_CHECK(left().trouble == journal_trouble::unauthentic);
  CAF_CHECK_EQUAL(left().records.size(), 1u);
  CAF_MESSAGE("another key");
  write(whole);
  CAF_CHECK(read_journal(*directory, {mac_of(2)}, "boot-1").trouble == journal_trouble::unauthentic);
  CAF_CHECK(read_journal(*directory, {mac_of(2), nullptr, mac}, "boot-1").header.has_value());
}

CAF_TEST(a record that was not written whole is none and no trouble) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(run_chain, 1));
  const std::size_t whole = text().size();
  append(made, head(run_chain, 2));
  const std::string both = text();
  for (std::size_t size = whole; size < both.size(); ++size) {
    write(both.substr(0, size));
    CAF_CHECK_EQUAL(left().records.size(), 1u);
    CAF_CHECK(!left().trouble);
  }
}

CAF_TEST(what a loss of power leaves of the end is no trouble) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(run_chain, 1));
  write(text() + std::string(4096, '\0') + "\n");
  CAF_CHECK(left().trouble == journal_trouble::unauthentic);
  CAF_CHECK(!left("boot-2").trouble);
  CAF_CHECK_EQUAL(left("boot-2").records.size(), 1u);
}

CAF_TEST(an append that begins no later takes the place of those before) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(run_chain, 1));
  CAF_CHECK(!made.note({{1, 100}, 50, {}, {head(run_chain, 4)}}));
  CAF_CHECK(!made.note({{1, 100}, 30, {}, {head(run_chain, 3)}}));
  const journal_content read = left();
  CAF_REQUIRE_EQUAL(read.records.size(), 2u);
  CAF_CHECK_EQUAL(read.records[1].heads[0].position.next_event, 4u);
}

CAF_TEST(until it is concluded it goes on with what was left) {
  {
    auto made = journal();
    CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
    append(made, head(run_chain, 1));
  }
  const std::string before = text();
  auto next = journal();
  CAF_CHECK_EQUAL(text(), before);
  append(next, head(run_chain, 2));
  CAF_CHECK(!next.begin_anew({2, 0}, {2, 0}));
  CAF_CHECK(text().starts_with(before));
  CAF_CHECK_EQUAL(left().records.size(), 2u);
  CAF_REQUIRE(!next.conclude({}, {2, 0}, {2, 0}));
  const journal_content concluded = left();
  CAF_CHECK(concluded.records.empty());
  CAF_CHECK_EQUAL(concluded.header->chains.at(0).head.position.next_event, 3u);
}

CAF_TEST(where nothing of use was left it notes nothing until it is concluded) {
  write("something else\n");
  auto next = journal();
  CAF_CHECK(!append(next, head(run_chain, 2)));
  CAF_CHECK_EQUAL(text(), "something else\n");
  CAF_REQUIRE(!next.conclude({}, {1, 100}, {1, 100}));
  CAF_REQUIRE_EQUAL(left().header->chains.size(), 1u);
}

CAF_TEST(a torn write is taken back before the next one) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(run_chain, 1));
  files.torn_writes = true;
  for (const bool even_the_cut_fails : {false, true}) {
    files.fault = [&](file_call call) {
      if (call == file_call::write) return ENOSPC;
      return call == file_call::ftruncate && even_the_cut_fails ? EIO : 0;
    };
    CAF_CHECK_EQUAL(append(made, head(run_chain, 9)).value(), ENOSPC);
    files.fault = nullptr;
    CAF_CHECK(!append(made, head(run_chain, even_the_cut_fails ? 3 : 2)));
  }
  const journal_content read = left();
  CAF_CHECK(!read.trouble);
  CAF_REQUIRE_EQUAL(read.records.size(), 3u);
  CAF_CHECK_EQUAL(read.records[2].heads[0].position.next_event, 4u);
}

CAF_TEST(a file that cannot be begun anew leaves the one there is) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(run_chain, 1));
  for (const file_call failing :
       {file_call::open, file_call::write, file_call::fdatasync, file_call::rename, file_call::unlink}) {
    files.fault = [failing](file_call call) { return call == failing ? EIO : 0; };
    CAF_CHECK(made.begin_anew({2, 0}, {2, 0}));
    CAF_CHECK(made.change_key(mac_of(2), {2, 0}, {2, 0}));
    files.fault = nullptr;
    CAF_CHECK(!append(made, head(run_chain, 2)));
    CAF_CHECK(!left().trouble);
    CAF_CHECK(left().header->begin == (segment_position{1, 0}));
  }
  CAF_CHECK(!made.begin_anew({2, 0}, {2, 0}));
  CAF_CHECK(left().header->begin == (segment_position{2, 0}));
}

CAF_TEST(under another key it is begun anew) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  append(made, head(run_chain, 1));
  CAF_CHECK(!made.change_key(mac_of(2), {1, 100}, {1, 0}));
  append(made, head(run_chain, 2));
  CAF_CHECK(left().trouble == journal_trouble::unauthentic);
  CAF_CHECK_EQUAL(read_journal(*directory, {mac_of(2)}, "boot-1").records.size(), 1u);
}

CAF_TEST(appends that are taken back are not remembered) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  const auto later = head(run_chain, 2);
  append(made, head(run_chain, 1));
  made.note({{1, 100}, 10, {}, {later}});
  made.applied({&later, 1}, {1, 110}, true);
  made.taken_back({1, 100});
  CAF_REQUIRE(!made.begin_anew({2, 0}, {2, 0}));
  CAF_CHECK_EQUAL(first_next_event(), 2u);
  made.note({{2, 0}, 10, {}, {later}});
  made.applied({&later, 1}, {2, 10}, true);
  made.settled({2, 10});
  CAF_REQUIRE(!made.begin_anew({2, 10}, {2, 10}));
  CAF_CHECK_EQUAL(first_next_event(), 3u);
}

CAF_TEST(it does not grow without end) {
  auto made = journal();
  CAF_REQUIRE(!made.conclude({}, {1, 0}, {1, 0}));
  CAF_CHECK(!made.has_outgrown());
  std::uint64_t last = 0;
  while (!made.has_outgrown()) append(made, head(run_chain, ++last));
  CAF_CHECK(text().size() < 2u << 20);
  CAF_REQUIRE(!made.begin_anew({1, offset}, {1, 0}));
  CAF_CHECK(!made.has_outgrown());
  CAF_CHECK_EQUAL(first_next_event(), last + 1);
}

CAF_TEST(a key of no sealing is no secret) {
  CAF_CHECK(journal_mac_of(nullptr)->tag({}, "x") == journal_mac_of(nullptr)->tag({}, "x"));
  CAF_CHECK(journal_mac_of(nullptr)->tag({}, "x") != mac_of(1)->tag({}, "x"));
  CAF_CHECK(mac_of(2)->tag({}, "x") != mac_of(1)->tag({}, "x"));
  CAF_CHECK(mac_of(1)->tag({1}, "x") != mac_of(1)->tag({}, "x"));
  CAF_CHECK(former_journal_mac_of(nullptr) == nullptr);
}

CAF_TEST_FIXTURE_SCOPE_END()
