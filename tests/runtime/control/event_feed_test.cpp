#include "runtime/control/event_feed.hpp"

#include <spdlog/sinks/null_sink.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE event_feed
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::size_t everything = 1 << 20;

std::string feed_line(std::string_view cell, std::string_view type, std::string_view comm = "sh") {
  return R"({"specversion":"1.0","id":"h/)" + std::string{cell} + R"(/1","type":"dev.)" + std::string{type} +
         R"(","subject":"urn:cellos:cell:)" + std::string{cell} + R"(","data":{"guestComm":")" + std::string{comm} +
         R"("}})";
}

std::string taken(event_stream& stream) {
  return stream.take(everything, [] {}).bytes;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct fixture {
  fixture()
      : events(std::make_shared<spdlog::logger>("t", std::make_shared<spdlog::sinks::null_sink_mt>()),
               log_format::text) {
    segment_log_options options;
    options.dir = directory / "log";
    log = segment_log::open(options).log;
  }

  temporary_directory directory;
  operator_events events;
  std::unique_ptr<segment_log> log;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(event_feed_tests, fixture)

CAF_TEST(a filter looks at cell and type and not at what guests write) {
  const event_filter cell{"c1", ""};
  CAF_CHECK(cell.wants(feed_line("c1", "a")));
  CAF_CHECK(!cell.wants(feed_line("c11", "a")));
  CAF_CHECK(!cell.wants(feed_line("c2", "a", R"(\"subject\":\"urn:cellos:cell:c1\")")));
  const event_filter type{"", "spawned"};
  CAF_CHECK(type.wants(feed_line("c1", "process_spawned")));
  CAF_CHECK(!type.wants(feed_line("c1", "process_exited", "spawned")));
}

CAF_TEST(a stream gives what was pushed in pieces of any size) {
  event_stream stream{{}, everything};
  stream.push("one\n\n");
  stream.push("two\n\n");
  std::string all;
  for (int i = 0; i < 5; ++i) all += stream.take(2, [] {}).bytes;
  CAF_CHECK_EQUAL(all, "one\n\ntwo\n\n");
}

CAF_TEST(a reader that found nothing is woken once) {
  event_stream stream{{}, everything};
  int woken = 0;
  CAF_CHECK_EQUAL(stream.take(10, [&] { ++woken; }).bytes, "");
  stream.push("a");
  stream.push("b");
  CAF_CHECK_EQUAL(woken, 1);
}

CAF_TEST(a client that does not keep up is reported and let go) {
  event_stream stream{{}, 100};
  CAF_CHECK_EQUAL(stream.push(std::string(60, 'a')), 0u);
  CAF_CHECK_EQUAL(stream.take(10, [] {}).bytes, std::string(10, 'a'));
  CAF_CHECK_EQUAL(stream.push(std::string(40, 'b')), 0u);
  CAF_CHECK_EQUAL(stream.push(std::string(40, 'c')), 2u);
  // The message that was begun is whole; then comes the end.
  const auto rest = stream.take(everything, [] {});
  CAF_CHECK(rest.bytes.starts_with(std::string(50, 'a') + "event: dropped\n"));
  CAF_CHECK(has(rest.bytes, "\"events_lost\":2"));
  CAF_CHECK(rest.last);
  CAF_CHECK_EQUAL(stream.push("more"), 0u);
  CAF_CHECK(stream.ended());
}

CAF_TEST(events appended after a subscription are passed on) {
  event_feed feed{*log, directory / "log", events, {}};
  CAF_REQUIRE(!log->append(feed_line("c1", "before") + '\n'));
  const auto one = feed.subscribe({"c1", ""});
  const auto all = feed.subscribe({});
  CAF_REQUIRE(one && all);
  CAF_REQUIRE(!log->append(feed_line("c1", "first") + '\n' + feed_line("c2", "second") + '\n'));
  feed.appended();
  std::string seen;
  CAF_CHECK(holds_within(test_timeout, [&] { return has(seen += taken(*all), "dev.second"); }));
  const std::string filtered = taken(*one);
  CAF_CHECK(has(filtered, "id: h/c1/1\ndata: {"));
  CAF_CHECK(!has(filtered, "dev.second"));
  CAF_CHECK(!has(seen, "dev.before"));
}

CAF_TEST(there are only so many streams and those that are left make room) {
  event_feed::options few;
  few.streams = 2;
  event_feed feed{*log, directory / "log", events, few};
  auto first = feed.subscribe({});
  const auto second = feed.subscribe({});
  CAF_CHECK(!feed.subscribe({}));
  first.reset();
  CAF_CHECK(feed.subscribe({}));
}

CAF_TEST(a client that left is noticed when another finds no place) {
  event_feed::options few;
  few.streams = 1;
  few.heartbeat = std::chrono::hours{1};
  event_feed feed{*log, directory / "log", events, few};
  auto left = feed.subscribe({});
  CAF_CHECK_EQUAL(taken(*left), ": alive\n\n");
  // As its connection does whose client is gone: what it is to write cannot be written.
  (void)left->take(everything, [&] { left.reset(); });
  CAF_CHECK(!feed.subscribe({}));
  CAF_CHECK(!left);
  CAF_CHECK(feed.subscribe({}));
}

CAF_TEST(looking for those that left costs those that stay nothing) {
  event_feed::options few;
  few.streams = 1;
  few.buffer_bytes = 100;
  event_feed feed{*log, directory / "log", events, few};
  const auto busy = feed.subscribe({});
  for (int tries = 0; tries < 100; ++tries) CAF_CHECK(!feed.subscribe({}));
  CAF_CHECK_EQUAL(taken(*busy), ": alive\n\n");
}

CAF_TEST(a stream that is ended gives what waits and then why) {
  event_stream stream{{}, everything};
  stream.push("one\n\n");
  CAF_CHECK(stream.end_with("event: dropped\n\n"));
  CAF_CHECK(!stream.end_with("again"));
  const auto rest = stream.take(everything, [] {});
  CAF_CHECK_EQUAL(rest.bytes, "one\n\nevent: dropped\n\n");
  CAF_CHECK(rest.last);
}

CAF_TEST(clients are reported segments that were removed before they were read) {
  event_feed feed{*log, directory / "log", events, {}};
  const auto stream = feed.subscribe({});
  CAF_REQUIRE(!log->append(feed_line("c1", "first") + '\n'));
  feed.appended();
  std::string seen;
  CAF_CHECK(holds_within(test_timeout, [&] { return has(seen += taken(*stream), "dev.first"); }));
  // The daemon was stopped while the log went on: what it had read is far behind.
  std::ofstream{directory / "log" / segment_file_name(4)} << feed_line("c1", "late") << '\n';
  feed.appended();
  CAF_CHECK(holds_within(test_timeout, [&] { return has(seen += taken(*stream), "event: dropped"); }));
  CAF_CHECK(has(seen, R"("reason":"segments_removed","first_segment":2,"last_segment":3)"));
  CAF_CHECK(!has(seen, "dev.late"));
  CAF_CHECK(stream->ended());
  CAF_CHECK_EQUAL(events.counts().event_streams_dropped, 1u);
}

CAF_TEST(a slow client is counted) {
  event_feed::options small;
  small.buffer_bytes = 300;
  event_feed feed{*log, directory / "log", events, small};
  const auto slow = feed.subscribe({});
  for (int i = 0; i < 10; ++i) CAF_REQUIRE(!log->append(feed_line("c1", "x") + '\n'));
  feed.appended();
  CAF_CHECK(holds_within(test_timeout, [&] { return events.counts().event_streams_dropped == 1; }));
  CAF_CHECK(has(taken(*slow), "event: dropped"));
}

CAF_TEST_FIXTURE_SCOPE_END()
