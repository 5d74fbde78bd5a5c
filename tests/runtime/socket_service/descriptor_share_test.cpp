#define CAF_SUITE descriptor_share
#include <spdlog/logger.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "caf/test/dsl.hpp"
#include "runtime/os/descriptor_plan.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/runtime/socket_service/faulty_socket_calls.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  test::temporary_directory home;
  std::shared_ptr<soak::event_counter> counted = std::make_shared<soak::event_counter>();
  operator_events events{std::make_shared<spdlog::logger>("test", counted), log_format::text};

  cell_specification cell(const std::string& id) const {
    cell_specification made;
    made.cell_id = id;
    made.vsock_uds_base = home / id;
    return made;
  }
  std::string path(const std::string& id) const { return cell(id).socket_path(); }

  using guest_list = std::vector<std::unique_ptr<test::raw_guest>>;
  /// As many as try.
  guest_list connect(const std::string& id, int count) const {
    guest_list all;
    for (int i = 0; i < count; ++i) all.push_back(std::make_unique<test::raw_guest>(path(id)));
    return all;
  }
  static bool has_open(const cell_intake_ptr& intake, std::uint32_t connections) {
    return test::holds_within(test::test_timeout, [&] { return intake->counts().connections_open == connections; });
  }
};

/// The real calls; while it is set to, no descriptor is left for anybody.
class exhausted_calls final : public faulty_socket_calls {
 public:
  int accept4(int fd) override {
    ++accepts;
    if (!exhausted) return faulty_socket_calls::accept4(fd);
    errno = error;
    return -1;
  }
  std::atomic<bool> exhausted{false};
  std::atomic<int> error{EMFILE};
  std::atomic<int> accepts{0};
};

}  // namespace

CAF_TEST(what is shared out leaves a reserve whatever the limit) {
  for (const std::uint64_t limit : {64ULL, 128ULL, 256ULL, 1024ULL, 4096ULL, 20000ULL, 65536ULL, 1ULL << 20}) {
    const descriptor_plan plan = plan_descriptors(limit);
    CAF_CHECK(plan.guests >= 2);
    CAF_CHECK(plan.http_connections >= 4);
    if (limit >= 128) CAF_CHECK(plan.guests + 2 * plan.http_connections + 48 <= limit);
  }
  CAF_CHECK(plan_descriptors(65536).guests >= 3 * 10'000);
  CAF_CHECK_EQUAL(plan_descriptors(1 << 20).http_connections, 128u);
}

CAF_TEST(shares of all cells and what they listen on are never more than there is) {
  for (std::size_t guests = 2; guests < 300; ++guests) {
    for (std::size_t cells = 1; 2 * cells <= guests; ++cells) {
      CAF_REQUIRE(connection_share(guests, cells) >= 1);
      CAF_REQUIRE(cells * (connection_share(guests, cells) + 1) <= guests);
    }
  }
}

CAF_TEST_FIXTURE_SCOPE(descriptor_share_tests, fixture)

CAF_TEST(a cell keeps within its share and its neighbours have theirs) {
  socket_service service{{.connections_per_cell = 64, .guest_descriptors = 12}, events};
  const auto greedy = service.bind(cell("greedy")).intake;
  const auto quiet = service.bind(cell("quiet")).intake;
  const auto flood = connect("greedy", 20);
  CAF_CHECK(flood.back()->is_closed_within(test::test_timeout));
  CAF_CHECK(has_open(greedy, 5));
  CAF_CHECK_EQUAL(greedy->counts().connections_refused, 15u);
  CAF_CHECK(counted->last("connection_refused").find("share of the descriptors") != std::string::npos);
  const auto modest = connect("quiet", 5);
  CAF_CHECK(has_open(quiet, 5));
  CAF_CHECK_EQUAL(quiet->counts().connections_refused, 0u);
}

CAF_TEST(a share gets smaller when another cell is bound) {
  socket_service service{{.connections_per_cell = 64, .guest_descriptors = 12}, events};
  const auto first = service.bind(cell("first")).intake;
  const auto flood = connect("first", 11);
  CAF_CHECK(has_open(first, 11));
  const auto second = service.bind(cell("second")).intake;
  CAF_REQUIRE(second);
  CAF_CHECK(has_open(first, 10));
  const auto guests = connect("second", 5);
  CAF_CHECK(has_open(second, 5));
  CAF_CHECK(has_open(first, 5));
  CAF_MESSAGE("the newest go");
  CAF_CHECK(!flood.front()->is_closed_within(0s));
  CAF_CHECK(flood.back()->is_closed_within(0s));
}

CAF_TEST(a cell for which there is no descriptor is refused and the next one is not) {
  socket_service service{{.guest_descriptors = 4}, events};
  auto first = service.bind(cell("first")).intake;
  const auto second = service.bind(cell("second")).intake;
  CAF_REQUIRE(first);
  CAF_REQUIRE(second);
  const auto third = service.bind(cell("third"));
  CAF_CHECK(!third.intake);
  CAF_CHECK(third.refusal.explanation.find("raise LimitNOFILE") != std::string::npos);
  first = nullptr;
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return service.bind(cell("third")).intake != nullptr; }));
}

CAF_TEST(guests that left hold no descriptors while nothing can be read and lose nothing) {
  socket_service service{{.chunks_per_cell = 2, .connections_per_cell = 8}, events};
  const auto intake = service.bind(cell("c")).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  const auto before = open_descriptors();
  constexpr std::uint64_t guests = 200;
  for (std::uint64_t i = 0; i < guests; ++i) {
    test::raw_guest guest{path("c")};
    guest.write_frames(1);
    guest.write_half_a_frame();
  }
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return intake->counts().connections_accepted == guests; }));
  CAF_CHECK(has_open(intake, 0));
  CAF_CHECK_EQUAL(open_descriptors(), before);
  CAF_CHECK_EQUAL(intake->counts().chunks_unacknowledged, 2u);
  CAF_CHECK(test::holds_within(test::test_timeout, [&] {
    collected.acknowledge();
    return collected.ended(chunk_ending::torn) == guests;
  }));
  CAF_CHECK_EQUAL(collected.frames(), 2 * guests);  // a torn one counts
  CAF_CHECK_EQUAL(intake->counts().connections_refused, 0u);
}

CAF_TEST(what guests left behind is bounded and the rest waits in their sockets) {
  socket_service service{{.chunks_per_cell = 2, .connections_per_cell = 64}, events};
  const auto intake = service.bind(cell("c")).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  constexpr std::uint64_t guests = 12;
  constexpr std::uint64_t each = 800;  // some 90 KB
  for (std::uint64_t i = 0; i < guests; ++i) {
    test::raw_guest guest{path("c")};
    guest.write_frames(each);
  }
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return intake->counts().connections_accepted == guests; }));
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return intake->counts().connections_open < guests; }));
  CAF_CHECK(!test::holds_within(1500ms, [&] { return intake->counts().connections_open < guests / 2; }));
  CAF_CHECK(test::holds_within(test::test_timeout, [&] {
    collected.acknowledge();
    return collected.frames() == guests * each;
  }));
  CAF_CHECK(has_open(intake, 0));
}

CAF_TEST(a cell that ends reads what guests left behind) {
  socket_service service{{.chunks_per_cell = 2}, events};
  const auto intake = service.bind(cell("c")).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  for (int i = 0; i < 8; ++i) {
    test::raw_guest guest{path("c")};
    guest.write_frames(1);
  }
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return intake->counts().connections_accepted == 8; }));
  std::atomic<bool> drained{false};
  intake->drain([&] { drained = true; });
  CAF_CHECK(test::holds_within(test::test_timeout, [&] {
    collected.acknowledge();
    return drained.load();
  }));
  CAF_CHECK_EQUAL(collected.frames(), 8u);
}

CAF_TEST(no descriptor to accept with is waited for and not asked for without pause) {
  exhausted_calls calls;
  socket_service service{{}, events, calls};
  const auto intake = service.bind(cell("c")).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    const std::uint64_t served = collected.frames();
    calls.error = error;
    calls.exhausted = true;
    calls.accepts = 0;
    test::raw_guest guest{path("c")};
    guest.write_frames(1);
    CAF_CHECK(!test::holds_within(1200ms, [&] { return calls.accepts > 12; }));
    CAF_CHECK(calls.accepts > 0);
    calls.exhausted = false;
    CAF_CHECK(test::holds_within(test::test_timeout, [&] { return collected.frames() == served + 1; }));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
