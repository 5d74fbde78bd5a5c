#include "tests/bench/support/control_probe.hpp"

#include <poll.h>

#include <exception>
#include <stdexcept>
#include <utility>

#include "tests/support/http_client.hpp"

namespace cellos::bench {

namespace {

/// Answers with how long it took; an exception if it was not answered with success.
std::chrono::nanoseconds timed(test::http_client& client, std::string_view method, const std::string& path,
                               const std::string& body, std::string& answer) {
  const steady_time began = std::chrono::steady_clock::now();
  const test::http_response response = client.ask(method, path, body);
  const auto took = std::chrono::steady_clock::now() - began;
  if (response.status / 100 != 2) {
    throw std::runtime_error(std::string{method} + " " + path + ": " + std::to_string(response.status) + " " +
                             response.body);
  }
  answer = response.body;
  return took;
}

}  // namespace

control_probe::control_probe(std::string control_socket, std::filesystem::path dir, std::size_t cells)
    : control_socket_(std::move(control_socket)), dir_(std::move(dir)), cells_(cells), thread_([this] { run(); }) {}

control_probe::~control_probe() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

control_probe::findings control_probe::finish() {
  stopping_ = true;
  thread_.join();
  return found_;
}

void control_probe::admit_and_list(std::uint64_t round) {
  test::http_client client{control_socket_};
  const std::string id = "probe-" + std::to_string(round);
  std::string answer;
  found_.puts.add(timed(client, "PUT", "/cells/" + id, test::cell_body(id, dir_ / id).dump(), answer));
  found_.lists.add(timed(client, "GET", "/cells", "", answer));
  const nlohmann::json listed = nlohmann::json::parse(answer);
  const nlohmann::json& cells = listed.is_array() ? listed : listed.at("cells");
  ++found_.lists_asked;
  if (cells.size() < cells_ + 1) ++found_.lists_incomplete;
  for (const auto& cell : cells) found_.stale += cell.contains("stale_for_seconds") ? 1 : 0;
  timed(client, "DELETE", "/cells/" + id, "", answer);
}

void control_probe::run() try {
  constexpr timespec between{0, 100'000'000};
  for (std::uint64_t round = 1; !stopping_; ++round) {
    admit_and_list(round);
    ::ppoll(nullptr, 0, &between, nullptr);
  }
} catch (const std::exception& thrown) {
  found_.problem = thrown.what();
}

}  // namespace cellos::bench
