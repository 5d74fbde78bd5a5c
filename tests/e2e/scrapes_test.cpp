#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/raw_guest.hpp"

// ctest: TIMEOUT 600
#define CAF_SUITE scrapes
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

/// CELLOS_SCRAPED_CELLS=5000 CELLOS_SCRAPE_SECONDS=75 for what the requirement says.
const std::size_t cells = amount_of("CELLOS_SCRAPED_CELLS", 400);
const std::chrono::seconds how_long{amount_of("CELLOS_SCRAPE_SECONDS", 4)};
constexpr std::size_t scrapers = 60;

std::string public_address_of(controlled_daemon& host) {
  const std::string line = host.daemon().wait_for_line("address=http://");
  return line.substr(line.find("http://") + 7);
}

void put_all(const controlled_daemon& host) {
  constexpr std::size_t workers = 4;
  std::atomic<std::size_t> refused{0};
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      auto client = host.another_client();
      for (std::size_t i = worker; i < cells; i += workers) {
        const std::string id = "c" + std::to_string(i);
        if (client.ask("PUT", "/cells/" + id, host.body_of(id).dump()).status != 201) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CAF_REQUIRE_EQUAL(refused, 0u);
}

std::size_t resident_bytes(pid_t pid) {
  std::ifstream statm{"/proc/" + std::to_string(pid) + "/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Asks for one path again and again, a connection a request, from many threads.
class storm {
 public:
  storm(const std::string& address, std::string path) {
    for (std::size_t i = 0; i < scrapers; ++i) {
      threads_.emplace_back([this, address, path] {
        while (!done_) {
          try {
            http_client client{address};
            if (client.get(path).status == 200) ++answered_;
          } catch (const std::exception&) {
            ++failed_;
          }
        }
      });
    }
  }
  ~storm() { finish(); }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;

  void finish() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::size_t answered() const { return answered_; }
  std::size_t failed() const { return failed_; }

 private:
  std::atomic<bool> done_{false};
  std::atomic<std::size_t> answered_{0};
  std::atomic<std::size_t> failed_{0};
  std::vector<std::thread> threads_;
};

/// How long the HOST SUPERVISOR took at most to answer: a cell that is not there is looked for in its own totals.
std::chrono::nanoseconds slowest_answer(const controlled_daemon& host, steady::duration during) {
  auto client = host.another_client();
  std::chrono::nanoseconds slowest{};
  for (const auto end = steady::now() + during; steady::now() < end;) {
    const auto asked = steady::now();
    CAF_REQUIRE_EQUAL(client.get("/cells/nobody").status, 404);
    slowest = std::max<std::chrono::nanoseconds>(slowest, steady::now() - asked);
  }
  return slowest;
}

}  // namespace

CAF_TEST(sixty_scrapers_cost_neither_the_host_supervisor_nor_the_memory_anything) {
  controlled_daemon host{{.evidence = "fsync = 'never'\n", .tables = "http_listen = '127.0.0.1:0'\n"}};
  const std::string address = public_address_of(host);
  put_all(host);
  raw_guest guest{host.home().socket_of("c0")};
  guest.write_frames(7);
  CAF_REQUIRE(holds_within(
      test_timeout, [&] { return metric(host.metrics(), "cellos_telemetry_declarations_appended_total") == 7; }));
  const std::size_t before = resident_bytes(host.daemon().pid());
  std::chrono::nanoseconds slowest{};
  std::size_t answered = 0;
  {
    storm scraping{address, "/metrics"};
    slowest = slowest_answer(host, how_long);
    CAF_MESSAGE("the answers are right, and no cell is left out");
    auto client = host.another_client();  // the daemon has closed one that was idle all the while
    const std::string text = client.get("/metrics").body;
    CAF_CHECK_EQUAL(metric(text, "cellos_telemetry_frames_received_total"), 7);
    CAF_CHECK_EQUAL(metric(text, "cellos_telemetry_cells{state=\"listening\"}"), static_cast<double>(cells - 1));
    CAF_CHECK_EQUAL(client.get("/cells").json().at("cells").size(), cells);
    scraping.finish();
    answered = scraping.answered();
    CAF_CHECK_EQUAL(scraping.failed(), 0u);
  }
  const std::size_t after = resident_bytes(host.daemon().pid());
  const std::size_t grown = after > before ? after - before : 0;
  CAF_MESSAGE(answered << " scrapes of " << cells << " cells; the HOST SUPERVISOR answered within "
                       << std::chrono::duration_cast<std::chrono::milliseconds>(slowest).count() << " ms; "
                       << grown / 1024 << " KiB more resident");
  CAF_CHECK(slowest < 5s);
  CAF_CHECK(grown < 50'000'000u);
  CAF_CHECK(answered >= scrapers);
}

CAF_TEST(what_the_public_asks_for_is_looked_up_once_a_second) {
  controlled_daemon host{{.tables = "http_listen = '127.0.0.1:0'\n"}};
  http_client scraper{public_address_of(host)};
  for (const char* path : {"/metrics", "/readyz"}) {
    CAF_REQUIRE_EQUAL(scraper.get(path).status, 200);
    const auto first = steady::now();
    for (int i = 0; i < 2; ++i) CAF_CHECK_EQUAL(scraper.get(path).status, 200);
    CAF_CHECK(steady::now() - first > 1s);
  }
  CAF_MESSAGE("what is answered was looked up after it was asked for");
  CAF_REQUIRE_EQUAL(host.put("late").status, 201);
  CAF_CHECK_EQUAL(metric(scraper.get("/metrics").body, "cellos_telemetry_cells{state=\"listening\"}"), 1);
  CAF_MESSAGE("the control socket waits for nobody");
  const auto asked = steady::now();
  for (int i = 0; i < 20; ++i) CAF_CHECK(host.metrics().size() > 100);
  CAF_CHECK(steady::now() - asked < 10s);
}
