// ctest: TIMEOUT 120
#include "runtime/transport/basp_guard.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <caf/io/basp/version.hpp>

#include "tests/runtime/transport/basp_bytes.hpp"

#define CAF_SUITE basp_guard
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr char our_fill = 'o';
constexpr char peer_fill = 'p';
constexpr std::uint64_t session = 17;
constexpr std::uint64_t forwarder = 5;

basp_node_id node(char fill) {
  basp_node_id id;
  std::ranges::copy(node_bytes(fill), id.begin());
  return id;
}

const std::string first_handshake = basp_header{.operation = client_handshake}.with(node_bytes(peer_fill));
const std::string second_handshake = basp_header{.operation = client_handshake, .flags = 2}.with(node_bytes(peer_fill));
const std::string servers_handshake =
    basp_header{.operation = server_handshake, .bits = 3}.with(node_bytes(peer_fill) + "whatever it says of itself");

std::string lines(std::size_t bytes) {
  return direct_bytes("@<>+@atom+@charbuf", big_endian(1, 8) + text_bytes(std::string(bytes, 'x')));
}
basp_header request(std::uint64_t number, std::uint64_t from = forwarder) {
  return {.operation = direct_message, .bits = asynchronous | number, .source = from, .destination = session};
}
basp_header answer(std::uint64_t number, std::uint64_t to = forwarder) {
  return {.operation = direct_message, .bits = asynchronous | answers | number, .source = session, .destination = to};
}
std::string error_bytes() { return big_endian(7, 1) + big_endian(2, 8) + message_bytes("@<>+@str", text_bytes("why")); }

/// What the guard thinks, with the bytes given to it in pieces of that size.
struct guarded {
  basp_guard guard;
  monotonic_time now{};

  explicit guarded(const basp_limits& limits = {}) : guard(basp_guard::for_server(node(our_fill), session, limits)) {}
  explicit guarded(basp_guard of) : guard(std::move(of)) {}

  std::optional<basp_violation> operator()(const std::string& bytes, std::size_t piece = 4096) {
    std::optional<basp_violation> violation;
    for (std::size_t at = 0; at < bytes.size() && !violation; at += piece) {
      violation = guard.incoming(std::span{bytes}.subspan(at, std::min(piece, bytes.size() - at)), now);
    }
    return violation;
  }
  std::string said(const std::string& bytes, std::size_t piece = 4096) {
    const auto violation = (*this)(bytes, piece);
    return violation ? std::string{to_string(*violation)} : "";
  }
};

/// A server's guard whose client has shaken hands.
guarded served(const basp_limits& limits = {}) {
  guarded it{limits};
  CAF_REQUIRE_EQUAL(it.said(first_handshake + second_handshake), "");
  return it;
}

/// A client's guard whose server has shaken hands, and whose forwarder has asked it something.
guarded connected() {
  guarded it{basp_guard::for_client(node(our_fill), {})};
  CAF_REQUIRE_EQUAL(it.said(servers_handshake), "");
  it.guard.outgoing(request(9).with(lines(10)));
  return it;
}

}  // namespace

CAF_TEST(what_two_nodes_say_to_each_other_passes_in_pieces_of_any_size) {
  const std::string whole =
      first_handshake + second_handshake + basp_header{.operation = heartbeat}.bytes(0) +
      basp_header{.operation = monitor_message, .destination = session}.with(node_bytes(peer_fill) +
                                                                             node_bytes(our_fill)) +
      basp_header{.operation = direct_message,
                  .flags = 1,
                  .bits = asynchronous,
                  .source = 3,
                  .destination = 0x03ddd66f3376adfbULL}
          .with(direct_bytes("@<>+@atom+@atom+@str", big_endian(1, 8) + big_endian(2, 8) + text_bytes("info"))) +
      request(1).with(lines(300)) +
      basp_header{.operation = direct_message, .bits = asynchronous, .source = forwarder, .destination = session}.with(
          direct_bytes("@<>+@atom+@u32+@i64+bool+@unit", std::string(8 + 4 + 8 + 1, '\1'))) +
      basp_header{.operation = down_message, .source = 3}.with(node_bytes(peer_fill) + node_bytes(our_fill) +
                                                               error_bytes()) +
      request(2).with(direct_bytes("@<>", ""));
  for (const std::size_t piece : {1U, 3U, 32U, 33U, 100U, 5000U}) {
    guarded it;
    CAF_CHECK_EQUAL(it.said(whole, piece), "");
    CAF_CHECK(it.guard.shaken_hands());
    CAF_CHECK(it.guard.peer_node() == node(peer_fill));
  }
}

CAF_TEST(what_a_server_says_passes) {
  auto it = connected();
  CAF_CHECK_EQUAL(it.said(answer(9).with(direct_bytes("@<>+@charbuf", text_bytes("so far")))), "");
  it.guard.outgoing(request(10).with(lines(10)));
  CAF_CHECK_EQUAL(it.said(answer(10).with(direct_bytes("@<>+@error", error_bytes()))), "");
  CAF_CHECK_EQUAL(it.said(basp_header{.operation = monitor_message, .destination = forwarder}.with(
                      node_bytes(peer_fill) + node_bytes(our_fill))),
                  "");
  CAF_CHECK_EQUAL(
      it.said(basp_header{
          .operation = direct_message, .bits = asynchronous | 4, .source = session, .destination = forwarder}
                  .with(direct_bytes("@<>+@atom", big_endian(1, 8)))),
      "");
}

CAF_TEST(the_headers_that_end_a_stock_process_are_refused) {
  CAF_CHECK_EQUAL(guarded{}.said(basp_header{.operation = client_handshake}.bytes(0)), "malformed_handshake");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = client_handshake}.bytes(0)), "malformed_handshake");
  CAF_CHECK_EQUAL(served().said(request(1).bytes(0xfffffff0)), "oversized_message");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = routed_message, .source = 1, .destination = 1}.bytes(100)),
                  "routed_message");
  CAF_CHECK_EQUAL(
      served().said(basp_header{.operation = direct_message, .flags = 1, .source = 1, .destination = 1}.bytes(100)),
      "named_receiver");
}

CAF_TEST(nothing_comes_before_the_handshake) {
  CAF_CHECK_EQUAL(guarded{}.said(basp_header{.operation = heartbeat}.bytes(0)), "handshake_missing");
  CAF_CHECK_EQUAL(guarded{}.said(request(1).with(lines(1))), "handshake_missing");
  guarded client{basp_guard::for_client(node(our_fill), {})};
  CAF_CHECK_EQUAL(client.said(basp_header{.operation = heartbeat}.bytes(0)), "handshake_missing");
}

CAF_TEST(a_handshake_has_one_form_and_one_sender) {
  CAF_CHECK_EQUAL(guarded{}.said(servers_handshake), "malformed_handshake");
  CAF_CHECK_EQUAL(guarded{}.said(second_handshake), "malformed_handshake");
  CAF_CHECK_EQUAL(guarded{}.said(first_handshake + first_handshake), "malformed_handshake");
  CAF_CHECK_EQUAL(served().said(second_handshake), "malformed_handshake");
  CAF_CHECK_EQUAL(guarded{}.said(basp_header{.operation = client_handshake}.with(node_bytes(our_fill))),
                  "node_claimed");
  CAF_CHECK_EQUAL(
      guarded{}.said(first_handshake + basp_header{.operation = client_handshake, .flags = 2}.with(node_bytes('q'))),
      "node_claimed");
  CAF_CHECK_EQUAL(guarded{}.said(basp_header{.operation = client_handshake}.with(std::string(32, '\0'))),
                  "malformed_handshake");
  const auto client = [](const std::string& bytes) {
    return guarded{basp_guard::for_client(node(our_fill), {})}.said(bytes);
  };
  CAF_CHECK_EQUAL(client(first_handshake), "malformed_handshake");
  CAF_CHECK_EQUAL(client(servers_handshake + servers_handshake), "malformed_handshake");
  CAF_CHECK_EQUAL(client(basp_header{.operation = server_handshake, .bits = 4}.with(node_bytes(peer_fill) + "x")),
                  "malformed_handshake");
  CAF_CHECK_EQUAL(client(basp_header{.operation = server_handshake, .bits = 3}.bytes(1U << 20)), "malformed_handshake");
}

CAF_TEST(only_this_connections_actor_can_be_addressed) {
  auto to_other = request(1);
  to_other.destination = session + 1;
  CAF_CHECK_EQUAL(served().said(to_other.with(lines(1))), "foreign_receiver");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = monitor_message, .destination = session + 1}.with(
                      node_bytes(peer_fill) + node_bytes(our_fill))),
                  "foreign_receiver");
  // A client's actor that has not spoken to the server.
  auto to_forwarder = request(1, session);
  to_forwarder.destination = forwarder + 1;
  CAF_CHECK_EQUAL(connected().said(to_forwarder.with(lines(1))), "foreign_receiver");
}

CAF_TEST(nobody_speaks_in_another_nodes_name_or_to_another_node) {
  const basp_header monitor{.operation = monitor_message, .destination = session};
  CAF_CHECK_EQUAL(served().said(monitor.with(node_bytes('q') + node_bytes(our_fill))), "routed_message");
  CAF_CHECK_EQUAL(served().said(monitor.with(node_bytes(peer_fill) + node_bytes('q'))), "routed_message");
  const basp_header down{.operation = down_message, .source = 3};
  CAF_CHECK_EQUAL(served().said(down.with(node_bytes('q') + node_bytes(our_fill) + error_bytes())), "routed_message");
}

CAF_TEST(answers_come_once_and_only_to_what_was_asked) {
  CAF_CHECK_EQUAL(served().said(answer(1, session).with(lines(1))), "unasked_answer");
  auto it = connected();
  CAF_CHECK_EQUAL(it.said(answer(9).with(lines(1))), "");
  CAF_CHECK_EQUAL(it.said(answer(9).with(lines(1))), "unasked_answer");
  CAF_CHECK_EQUAL(connected().said(answer(9, forwarder + 1).with(lines(1))), "unasked_answer");
  // What an actor of the server's node asked of somebody else can be answered by nobody from here.
  auto server = served();
  server.guard.outgoing(
      basp_header{.operation = direct_message, .bits = asynchronous | 6, .source = session, .destination = forwarder}
          .with(lines(1)));
  CAF_CHECK_EQUAL(server.said(answer(6, session).with(lines(1))), "");
  CAF_CHECK_EQUAL(server.said(answer(7, session).with(lines(1))), "unasked_answer");
}

CAF_TEST(messages_hold_values_and_nothing_that_names_an_actor) {
  for (const auto* types : {"@<>+@atom+@strong_actor_ptr", "@<>+@exit", "@<>+@down", "@<>+@error", "@<>+@message",
                            "@<>+@group", "@<>+@strvec", "@<>+@node", "@<>+@actor", "@<>+", "@<>@atom", "@atom", "",
                            "@<>+@str+", "@<>+@u16str", "@<>+lines_batch"}) {
    CAF_CHECK_EQUAL(served().said(request(1).with(direct_bytes(types, std::string(200, '\0')))), "forbidden_content");
  }
  std::string many = "@<>";
  for (int i = 0; i < 17; ++i) many += "+bool";
  CAF_CHECK_EQUAL(served().said(request(1).with(direct_bytes(many, std::string(17, '\0')))), "forbidden_content");
  // Somebody by way of whom the answer would go.
  CAF_CHECK_EQUAL(served().said(request(1).with("\1" + lines(10))), "forbidden_content");
  // An error in an error.
  auto it = connected();
  const auto nested = big_endian(7, 1) + big_endian(2, 8) + message_bytes("@<>+@error", error_bytes());
  CAF_CHECK_EQUAL(it.said(answer(9).with(direct_bytes("@<>+@error", nested))), "forbidden_content");
}

CAF_TEST(every_length_is_held_against_what_is_there) {
  const auto with_length = [](const std::string& length) {
    return served().said(request(1).with(direct_bytes("@<>+@charbuf", length + std::string(100, 'x'))));
  };
  CAF_CHECK_EQUAL(with_length(length_bytes(100)), "");
  CAF_CHECK_EQUAL(with_length(length_bytes(99)), "malformed_payload");
  CAF_CHECK_EQUAL(with_length(length_bytes(101)), "malformed_payload");
  CAF_CHECK_EQUAL(with_length(length_bytes(0xffffffff)), "malformed_payload");
  CAF_CHECK_EQUAL(with_length(std::string(100, '\xff')), "malformed_payload");
  CAF_CHECK_EQUAL(served().said(request(1).with(direct_bytes("@<>+@u64", "1234"))), "malformed_payload");
  CAF_CHECK_EQUAL(served().said(request(1).with(std::string(1, '\0'))), "malformed_payload");
  CAF_CHECK_EQUAL(served().said(request(1).with(std::string(3, '\0') + length_bytes(300) + std::string(400, 'n'))),
                  "forbidden_content");
}

CAF_TEST(headers_that_contradict_themselves_are_refused) {
  auto header = request(1);
  header.flags = 4;
  CAF_CHECK_EQUAL(served().said(header.with(lines(1))), "malformed_header");
  CAF_CHECK_EQUAL(served().said(request(1, 0).with(lines(1))), "malformed_header");
  CAF_CHECK_EQUAL(served().said(request(1).bytes(0)), "malformed_header");
  auto stream = request(1);
  stream.bits |= 1ULL << 61;
  CAF_CHECK_EQUAL(served().said(stream.with(lines(1))), "malformed_header");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = heartbeat}.bytes(1)), "malformed_header");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = heartbeat, .source = 1}.bytes(0)), "malformed_header");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = monitor_message, .destination = session}.bytes(65)),
                  "malformed_header");
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = 7}.bytes(0)), "unknown_operation");
  auto padded = basp_header{.operation = heartbeat}.bytes(0);
  padded[1] = 1;
  CAF_CHECK_EQUAL(served().said(padded), "malformed_header");
  // The spawner's name, as a request.
  CAF_CHECK_EQUAL(served().said(basp_header{.operation = direct_message,
                                            .flags = 1,
                                            .bits = asynchronous | 1,
                                            .source = 3,
                                            .destination = 0x03ddd66f3376adfbULL}
                                    .with(lines(1))),
                  "malformed_header");
}

CAF_TEST(a_peer_has_as_much_unanswered_as_it_may) {
  auto it = served({.requests = 3});
  for (std::uint64_t i = 1; i <= 3; ++i) CAF_CHECK_EQUAL(it.said(request(i).with(lines(10))), "");
  it.guard.outgoing(answer(2).with(lines(10)));
  CAF_CHECK_EQUAL(it.said(request(4).with(lines(10))), "");
  CAF_CHECK_EQUAL(it.said(request(5).with(lines(10))), "too_many_requests");

  auto large = served({.request_bytes = 1000});
  CAF_CHECK_EQUAL(large.said(request(1).with(lines(800))), "");
  CAF_CHECK_EQUAL(large.said(request(2).with(lines(800))), "too_many_requests");
  auto twice = served();
  CAF_CHECK_EQUAL(twice.said(request(1).with(lines(10)) + request(1).with(lines(10))), "malformed_header");
}

CAF_TEST(a_peer_has_as_many_senders_as_it_may) {
  auto it = served({.senders = 2});
  CAF_CHECK_EQUAL(it.said(request(1, 1).with(lines(1)) + request(1, 2).with(lines(1)) + request(2, 1).with(lines(1))),
                  "");
  CAF_CHECK_EQUAL(it.said(request(1, 3).with(lines(1))), "too_many_senders");
}

CAF_TEST(what_needs_no_answer_comes_as_often_as_it_may) {
  const auto beat = basp_header{.operation = heartbeat}.bytes(0);
  auto it = served({.notices = 5, .notices_per_second = 2});
  for (int i = 0; i < 5; ++i) CAF_CHECK_EQUAL(it.said(beat), "");
  it.now += 1s;
  CAF_CHECK_EQUAL(it.said(beat + beat), "");
  CAF_CHECK_EQUAL(it.said(beat), "too_many_notices");
}

CAF_TEST(the_longest_message_passes_and_one_byte_more_does_not) {
  const auto most = basp_limits{}.message_bytes;
  const auto overhead = lines(most).size() - most;
  CAF_CHECK_EQUAL(served().said(request(1).with(lines(most - overhead))), "");
  CAF_CHECK_EQUAL(served().said(request(1).with(lines(most - overhead + 1))), "oversized_message");
}

CAF_TEST(numbers_and_names_are_those_of_this_caf) {
  caf::actor_system_config configuration;
  configuration.set("scheduler.max-threads", 1);
  caf::actor_system system{configuration};
  CAF_CHECK_EQUAL(caf::io::basp::version, 3U);
  CAF_CHECK_EQUAL(static_cast<std::uint64_t>(caf::atom("SpawnServ")), 0x03ddd66f3376adfbULL);
  CAF_CHECK_EQUAL(caf::make_message_id().integer_value(), asynchronous);
  CAF_CHECK_EQUAL(caf::make_message_id(3).response_id().integer_value(),
                  caf::make_message_id(3).integer_value() | answers);
  // What CAF writes is what the guard reads.
  std::vector<char> payload;
  caf::binary_serializer sink{system, payload};
  std::vector<caf::strong_actor_ptr> nobody;
  auto message = caf::make_message(caf::atom("lines"), std::uint32_t{1}, std::vector<char>(1000, 'x'), true,
                                   std::string{"text"}, std::int64_t{-1}, caf::unit);
  CAF_REQUIRE(!sink(nobody, message));
  auto answer_with_error = caf::make_message(caf::make_error(caf::sec::runtime_error, "why"));
  CAF_CHECK_EQUAL(served().said(request(1).with({payload.begin(), payload.end()})), "");
  std::vector<char> failed;
  caf::binary_serializer failed_sink{system, failed};
  CAF_REQUIRE(!failed_sink(nobody, answer_with_error));
  auto it = connected();
  CAF_CHECK_EQUAL(it.said(answer(9).with({failed.begin(), failed.end()})), "");
}

CAF_TEST(changed_bytes_never_get_further_than_they_may) {
  // Of what passes, anything is changed. Whatever the guard says, it must not read beyond what it has (the sanitizers
  // see that), and what passes must be whole messages of known operations with lengths in bounds.
  const std::string good = first_handshake + second_handshake + request(1).with(lines(60)) +
                           basp_header{.operation = heartbeat}.bytes(0) + request(2).with(lines(5));
  std::mt19937_64 random{20};
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    const auto changes = 1 + random() % 4;
    for (std::uint64_t i = 0; i < changes; ++i) {
      switch (random() % 3) {
        case 0: bytes[random() % bytes.size()] = static_cast<char>(random()); break;
        case 1: bytes.erase(random() % bytes.size(), 1 + random() % 8); break;
        default: bytes.insert(random() % bytes.size(), 1 + random() % 8, static_cast<char>(random()));
      }
    }
    guarded it;
    const auto piece = 1 + random() % 200;
    if (it(bytes, piece)) ++refused;
    it.guard.outgoing(bytes);
  }
  // A changed text is still a text: those pass.
  CAF_CHECK_GREATER(refused, 14'000U);
  CAF_CHECK_LESS(refused, 20'000U);
}

CAF_TEST(random_bytes_end_at_the_first_header) {
  std::mt19937_64 random{21};
  std::size_t passed = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes(32, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    if (!guarded{}(bytes)) ++passed;
  }
  CAF_CHECK_EQUAL(passed, 0U);
}
