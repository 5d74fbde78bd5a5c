#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/progress_board.hpp"
#include "runtime/control/admission_store.hpp"
#include "runtime/control/event_feed.hpp"
#include "runtime/control/host_client.hpp"
#include "runtime/control/http_message.hpp"
#include "runtime/control/metrics.hpp"
#include "runtime/control/node_board.hpp"
#include "runtime/control/reload_report.hpp"
#include "runtime/control/shared_answers.hpp"
#include "runtime/probes/look_board.hpp"

namespace cellos {

/// What the API speaks for.
struct control_environment {
  std::string version;
  std::string host_id;
  const host_client& host;
  admission_store& memory;
  event_feed& feed;
  metrics& measured;
  /// Why the daemon does not do all of its work at the moment, cells aside. Any thread.
  std::function<std::vector<std::string>()> unready_reasons;
  std::function<std::size_t()> actors_hung;
  /// Whether the configuration file names this cell. Any thread.
  std::function<bool(const std::string& cell_id)> in_file;
  /// Cells of the configuration file that are to be served. Any thread.
  std::function<std::vector<std::string>()> file_cells;
  /// Reads the configuration file again, some time later. Any thread.
  std::function<void(reload_reply)> reload;
  /// Every cell's counts.
  std::shared_ptr<const progress_board> progress;
  /// Somebody removed this cell, or admitted it again: whether the file's cell of this id need not be served. Any
  /// thread.
  std::function<void(const std::string& cell_id, bool removed)> removed = [](const std::string&, bool) {};
  /// What the daemon is as a node. Null: it is none.
  const node_board* nodes = nullptr;
  /// What the host saw of a cell for itself. Any thread.
  std::function<std::optional<cell_look>(const std::string& cell_id)> look_of = [](const std::string&) {
    return std::nullopt;
  };
};

/// The control API of config/openapi.json: one handler a path and method. Thread-safe, never waits.
class control_api {
 public:
  explicit control_api(control_environment environment)
      : environment_(std::move(environment)), shared_(std::make_unique<shared_answers>()) {}

  /// Everything.
  void answer(const http_request& request, const http_reply& reply) const;
  /// Only what may be read by anybody: metrics, health, readiness and the status page. However many ask: metrics and
  /// readiness are looked up once a second at most, without a message to any cell.
  void answer_public(const http_request& request, const http_reply& reply) const;

  /// A request was refused before it came here. Any thread.
  void refused() const { environment_.measured.request_refused(); }

  /// Nothing is looked up any more for whoever shares an answer.
  void stop() const { shared_->stop(); }

 private:
  void put_cell(const std::string& id, const http_request& request, const http_reply& reply) const;
  void remember_admitted(const cell_specification& cell, const cell_status& admitted, const http_reply& reply) const;
  void delete_cell(const std::string& id, const http_reply& reply) const;
  void get_cell(const std::string& id, const http_reply& reply) const;
  void list_cells(const http_reply& reply) const;
  void show_hosts(const http_request& request, const http_reply& reply) const;
  void follow_events(const http_request& request, const http_reply& reply) const;
  void reload(const http_reply& reply) const;
  void show_metrics(const http_reply& reply) const;
  void show_health(const http_reply& reply) const;
  void show_readiness(const http_reply& reply) const;
  void show_page(const http_reply& reply) const;

  struct route;
  static const std::vector<route>& routes();
  void share(const route& asked, bool is_public, const http_reply& reply) const;
  void dispatch(const http_request& request, const http_reply& reply, bool public_only) const;

  control_environment environment_;
  std::unique_ptr<shared_answers> shared_;
};

}  // namespace cellos
