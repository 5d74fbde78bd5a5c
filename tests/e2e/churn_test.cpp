#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/run_record.hpp"

// ctest: TIMEOUT 600
#define CAF_SUITE churn
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::size_t clients = 8;

std::string sender(std::size_t cell) { return "sender-" + std::to_string(cell); }

/// What one client saw.
struct client_record {
  std::vector<double> put_ms;
  std::vector<std::string> faults;
};

std::string churned_id(const char* round, std::size_t client, std::size_t cell) {
  return std::string{round} + '-' + std::to_string(client) + '-' + std::to_string(cell);
}

void come_and_go(const controlled_daemon& host, const char* round, std::size_t client, std::size_t cells,
                 client_record& record) {
  auto api = host.another_client();
  for (std::size_t i = 0; i < cells; ++i) {
    const std::string id = churned_id(round, client, i);
    const std::string body = host.body_of(id).dump();
    const auto began = std::chrono::steady_clock::now();
    const int put = api.ask("PUT", "/cells/" + id, body).status;
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    // A refusal is quick, and would flatter the others.
    if (put == 201) record.put_ms.push_back(took.count());
    if (put != 201) record.faults.push_back(id + ": PUT " + std::to_string(put));
    const int removed = api.ask("DELETE", "/cells/" + id).status;
    if (removed != 200) record.faults.push_back(id + ": DELETE " + std::to_string(removed));
  }
}

std::vector<client_record> churn(const controlled_daemon& host, const char* round, std::size_t cells) {
  std::vector<client_record> records(clients);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&host, round, &record = records[i], i, each = cells / clients] {
      try {
        come_and_go(host, round, i, each, record);
      } catch (const std::exception& problem) {
        record.faults.emplace_back(problem.what());
      }
    });
  }
  threads.clear();
  return records;
}

}  // namespace

CAF_TEST(cells_that_come_and_go_leave_nothing_behind_and_disturb_nobody) {
  const std::size_t churned = amount_of("CELLOS_CHURN_CELLS", 160);
  const std::size_t senders = amount_of("CELLOS_CHURN_SENDERS", 12);
  daemon_settings settings;
  for (std::size_t i = 0; i < senders; ++i) settings.cells.push_back({.id = sender(i)});
  controlled_daemon host{settings};
  std::vector<simulator> guests;
  for (std::size_t i = 0; i < senders; ++i) {
    guests.emplace_back(
        simulation{.socket = host.home().socket_of(sender(i)), .frames = 100'000'000, .further = {"--rate", "20"}});
  }
  // What is allocated once is allocated then.
  (void)churn(host, "warm", clients * 4);
  const std::string before = host.metrics();
  const auto records = churn(host, "cell", churned);
  // Descriptors are closed on the socket service's own time.
  const double descriptors = metric(before, "process_open_fds");
  CAF_CHECK(holds_within(test_timeout, [&] { return metric(host.metrics(), "process_open_fds") <= descriptors; }));
  const std::string after = host.metrics();

  std::vector<double> put_ms;
  for (const client_record& record : records) {
    CAF_CHECK_EQUAL(joined(record.faults), "");
    put_ms.insert(put_ms.end(), record.put_ms.begin(), record.put_ms.end());
  }
  CAF_REQUIRE(!put_ms.empty());
  std::sort(put_ms.begin(), put_ms.end());
  const double grown = metric(after, "process_resident_memory_bytes") - metric(before, "process_resident_memory_bytes");
  CAF_MESSAGE(put_ms.size() << " accepted PUT and DELETE by " << clients << " clients beside " << senders
                            << " sending cells: PUT p50 " << put_ms[put_ms.size() / 2] << " ms, p99 "
                            << put_ms[put_ms.size() * 99 / 100] << " ms, max " << put_ms.back() << " ms; descriptors "
                            << descriptors << " -> " << metric(after, "process_open_fds") << ", resident "
                            << grown / 1024 << " KiB more");
#ifndef __SANITIZE_ADDRESS__  // which keeps what was freed
  CAF_CHECK(grown < 32.0 * 1024 * 1024);
#endif
  CAF_CHECK_EQUAL(metric(after, "cellos_telemetry_cells{state=\"connected\"}"), static_cast<double>(senders));

  std::vector<sent_report> sent;
  for (simulator& guest : guests) sent.push_back(guest.stop());
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  std::vector<cell_settings> all = settings.cells;
  for (std::size_t client = 0; client < clients; ++client) {
    for (std::size_t i = 0; i < 4; ++i) all.push_back({.id = churned_id("warm", client, i)});
    for (std::size_t i = 0; i < churned / clients; ++i) all.push_back({.id = churned_id("cell", client, i)});
  }
  const run_records runs{host.home().evidence_dir(), all};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  for (std::size_t i = 0; i < senders; ++i) CAF_CHECK_EQUAL(joined(differences(runs.of(sender(i)), sent[i])), "");
}
