// The control API: a table of routes, then a handler each. Handlers ask the HOST SUPERVISOR or the memory of admitted
// cells, and answer where the answer arrives. The order of a PUT is bind, then remember, then answer; of a DELETE end
// the run, then forget, then answer: whoever has its answer finds the same after a crash.

#include "runtime/control/control_api.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <variant>

#include "actors/failure.hpp"
#include "messages/escaped_text.hpp"
#include "runtime/configuration/readers.hpp"
#include "runtime/control/cell_document.hpp"
#include "runtime/control/host_list.hpp"
#include "runtime/control/look_document.hpp"
#include "runtime/control/page.hpp"
#include "runtime/text/nearest_name.hpp"

namespace cellos {

namespace {

using json = nlohmann::ordered_json;

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

http_answer document(unsigned status, const json& body) {
  http_answer answer;
  answer.status = status;
  answer.body = text_of(body) + '\n';
  return answer;
}

http_answer refusal_of(const caf::error& cause) {
  const std::string why = explanation(cause);
  if (is_failure(cause, failure::bind_failed)) return refusal(422, why, "vsock_uds_base");
  if (is_failure(cause, failure::cell_conflict)) return refusal(409, why);
  if (is_failure(cause, failure::unknown_cell)) return refusal(404, why, {}, "list the cells to see which there are");
  return refusal_for_now(why);
}

http_answer refusal_of(const document_refusal& refused) {
  const std::string about = refused.field.empty() ? "" : refused.field + " ";
  return refusal(400, about + refused.error, refused.field, refused.hint);
}

constexpr std::string_view cells_prefix = "/cells/";

/// How often what the public shares is looked up: scrapes come every few seconds, so that nobody waits for long. Chosen
/// here.
constexpr std::chrono::seconds public_interval{1};

}  // namespace

/// A method on a path; `/cells/` stands for every path with an id behind it.
struct control_api::route {
  std::string_view method;
  std::string_view path;
  bool is_public;
  /// Whoever asks meanwhile shares the answer.
  bool is_shared;
  void (*handle)(const control_api&, const std::string& id, const http_request&, const http_reply&);
};

const std::vector<control_api::route>& control_api::routes() {
  using api = const control_api&;
  using id = const std::string&;
  using request = const http_request&;
  using reply = const http_reply&;
  static const std::vector<route> all{
      {"GET", "/cells", false, true, [](api a, id, request, reply r) { a.list_cells(r); }},
      {"GET", cells_prefix, false, false, [](api a, id i, request, reply r) { a.get_cell(i, r); }},
      {"PUT", cells_prefix, false, false, [](api a, id i, request q, reply r) { a.put_cell(i, q, r); }},
      {"DELETE", cells_prefix, false, false, [](api a, id i, request, reply r) { a.delete_cell(i, r); }},
      {"GET", "/hosts", false, false, [](api a, id, request q, reply r) { a.show_hosts(q, r); }},
      {"GET", "/events", false, false, [](api a, id, request q, reply r) { a.follow_events(q, r); }},
      {"POST", "/reload", false, false, [](api a, id, request, reply r) { a.reload(r); }},
      {"GET", "/metrics", true, true, [](api a, id, request, reply r) { a.show_metrics(r); }},
      {"GET", "/healthz", true, false, [](api a, id, request, reply r) { a.show_health(r); }},
      {"GET", "/readyz", true, true, [](api a, id, request, reply r) { a.show_readiness(r); }},
      {"GET", "/", true, false, [](api a, id, request, reply r) { a.show_page(r); }},
  };
  return all;
}

void control_api::answer(const http_request& request, const http_reply& reply) const {
  dispatch(request, reply, false);
}

void control_api::answer_public(const http_request& request, const http_reply& reply) const {
  dispatch(request, reply, true);
}

void control_api::dispatch(const http_request& request, const http_reply& reply, bool public_only) const {
  const bool is_cell = request.path.starts_with(cells_prefix);
  const std::string id = is_cell ? request.path.substr(cells_prefix.size()) : std::string{};
  const std::string_view wanted = is_cell ? cells_prefix : std::string_view{request.path};
  const std::string_view method = request.method == "HEAD" ? std::string_view{"GET"} : std::string_view{request.method};
  std::string allow;
  std::vector<std::string_view> paths;
  for (const route& each : routes()) {
    if (public_only && !each.is_public) continue;
    paths.push_back(each.path == cells_prefix ? "/cells/{id}" : each.path);
    if (each.path != wanted) continue;
    if (each.method == method && each.is_shared) return share(each, public_only, reply);
    if (each.method == method) return each.handle(*this, id, request, reply);
    allow += (allow.empty() ? "" : ", ") + std::string{each.method} + (each.method == "GET" ? ", HEAD" : "");
  }
  if (!allow.empty()) {
    http_answer refused = refusal(405, fmt::format("{} does not go with this path", escaped(request.method)), {},
                                  fmt::format("there are {}", allow));
    refused.allow = std::move(allow);
    return reply(std::move(refused));
  }
  const auto near = nearest_name(wanted, paths);
  reply(refusal(404, fmt::format("nothing is at {}", escaped(request.path, 128)), {},
                near ? fmt::format("did you mean {}?", *near)
                     : fmt::format("there are {}", fmt::join(std::set(paths.begin(), paths.end()), ", "))));
}

void control_api::share(const route& asked, bool is_public, const http_reply& reply) const {
  const std::string name = (is_public ? "public " : "") + std::string{asked.path};
  const auto make = [this, &asked](const http_reply& made) { asked.handle(*this, {}, {}, made); };
  shared_->ask(name, is_public ? public_interval : std::chrono::seconds{0}, make, reply);
}

void control_api::put_cell(const std::string& id, const http_request& request, const http_reply& reply) const {
  const cell_or_refusal read = read_cell(id, request.body);
  if (const auto* refused = std::get_if<document_refusal>(&read)) return reply(refusal_of(*refused));
  const auto& cell = std::get<cell_specification>(read);
  environment_.host.admit(cell, [this, cell, reply](const caf::expected<cell_status>& admitted) {
    if (!admitted) return reply(refusal_of(admitted.error()));
    environment_.removed(cell.cell_id, false);
    // The file remembers its own cells.
    if (!admitted->newly_admitted && environment_.in_file(cell.cell_id))
      return reply(document(200, to_json(*admitted)));
    remember_admitted(cell, *admitted, reply);
  });
}

void control_api::remember_admitted(const cell_specification& cell, const cell_status& admitted,
                                    const http_reply& reply) const {
  environment_.memory.remember(cell, [this, id = cell.cell_id, admitted, reply](std::error_code failed) {
    if (!failed) return reply(document(admitted.newly_admitted ? 201 : 200, to_json(admitted)));
    const http_answer refused =
        refusal(503, fmt::format("the cell is not admitted: the state file cannot be written: {}", failed.message()),
                {}, "make room for [control] state_file, or mend its disk");
    if (!admitted.newly_admitted) return reply(refused);
    // Not promised, so not kept.
    environment_.memory.forget(id, [](std::error_code) {});
    environment_.host.retire(id, [reply, refused](const caf::expected<run_totals>&) { reply(refused); });
  });
}

void control_api::delete_cell(const std::string& id, const http_reply& reply) const {
  if (const auto complained = settings::identifier(id)) {
    return reply(refusal(400, complained->problem, "id", complained->note));
  }
  // A reload at this moment must not admit it again.
  environment_.memory.expect_forgetting(id);
  environment_.removed(id, true);
  environment_.host.retire(id, [this, id, reply](const caf::expected<run_totals>& totals) {
    const bool was_bound = totals || !is_failure(totals.error(), failure::unknown_cell);
    // One of the file's that could not be bound is as much missed as before.
    if (!was_bound) environment_.removed(id, false);
    // One that could not be bound after a restart is still remembered.
    if (!was_bound && !environment_.memory.contains(id)) return reply(refusal_of(totals.error()));
    // Whoever is retiring it already forgets it.
    if (!totals && is_failure(totals.error(), failure::stopping)) return reply(refusal_of(totals.error()));
    const json counted = to_json(totals ? *totals : run_totals{});
    const auto settle = [reply, id, counted,
                         refused = totals || !was_bound ? std::optional<http_answer>{}
                                                        : refusal_of(totals.error())](std::error_code failed) {
      if (refused) return reply(*refused);
      if (!failed) return reply(document(200, {{"cell_id", id}, {"totals", counted}}));
      reply(refusal(503,
                    fmt::format("the run has ended, but a restart would admit the cell again: the state file "
                                "cannot be written: {}",
                                failed.message()),
                    {}, "make room for [control] state_file, then DELETE again"));
    };
    environment_.memory.forget(id, settle);
  });
}

void control_api::get_cell(const std::string& id, const http_reply& reply) const {
  environment_.host.status(id, [this, id, reply](const caf::expected<cell_status>& status) {
    if (!status) return reply(refusal_of(status.error()));
    json cell = to_json(*status);
    add_look(cell, environment_.look_of(id).value_or(cell_look{}), std::chrono::steady_clock::now());
    reply(document(200, cell));
  });
}

void control_api::list_cells(const http_reply& reply) const {
  environment_.host.accounts([reply](const caf::expected<host_accounts>& accounts) {
    if (!accounts) return reply(refusal_of(accounts.error()));
    // Written cell by cell: as one value, thousands of cells take many times the memory of their text.
    http_answer answer;
    answer.body = R"({"cells":[)";
    for (const cell_status& cell : accounts->cells) {
      if (answer.body.back() != '[') answer.body += ',';
      answer.body += text_of(to_json(cell));
    }
    answer.body += "]}\n";
    reply(std::move(answer));
  });
}

void control_api::show_hosts(const http_request& request, const http_reply& reply) const {
  auto hosts = environment_.nodes != nullptr ? environment_.nodes->hosts() : std::nullopt;
  if (!hosts) return reply(refusal(404, "this daemon collects from no hosts", {}, "ask a collector"));
  reply(list_hosts(*std::move(hosts), request.query));
}

void control_api::follow_events(const http_request& request, const http_reply& reply) const {
  event_filter filter;
  for (const auto& [name, value] : request.query) {
    if (name == "cell") {
      filter.cell_id = value;
    } else if (name == "type") {
      filter.type = value;
    } else {
      return reply(refusal(400, fmt::format("{} is not a parameter of /events", escaped(name)), escaped(name),
                           "known are cell, type"));
    }
  }
  http_answer answer;
  answer.content_type = "text/event-stream";
  if (request.method != "HEAD") {
    answer.stream = environment_.feed.subscribe(std::move(filter));
    if (!answer.stream) return reply(refusal_for_now("too many clients follow events"));
  }
  reply(std::move(answer));
}

void control_api::reload(const http_reply& reply) const {
  environment_.reload([reply](const reload_report& report) {
    if (report.errors.empty()) {
      return reply(document(
          200, {{"cells", report.cells}, {"refused", report.refused}, {"restart_needed", report.restart_needed}}));
    }
    json errors = json::array();
    for (const configuration_error& error : report.errors) {
      errors.push_back({{"file", error.file},
                        {"line", error.line},
                        {"column", error.column},
                        {"key", error.key},
                        {"problem", error.problem},
                        {"remedy", error.remedy}});
    }
    reply(document(422, {{"error", "the configuration file has errors; nothing was changed"}, {"errors", errors}}));
  });
}

void control_api::show_metrics(const http_reply& reply) const {
  http_answer answer;
  answer.content_type = metrics::content_type;
  answer.body = environment_.measured.text(environment_.progress->read());
  reply(std::move(answer));
}

void control_api::show_health(const http_reply& reply) const {
  reply(document(200, {{"status", "alive"},
                       {"version", environment_.version},
                       {"host_id", environment_.host_id},
                       {"actors_hung", environment_.actors_hung()}}));
}

void control_api::show_readiness(const http_reply& reply) const {
  environment_.host.alive([this, reply](const caf::expected<std::uint64_t>& alive) {
    json reasons = json::array();
    if (!alive) reasons.push_back("the HOST SUPERVISOR does not answer: " + explanation(alive.error()));
    for (std::string& reason : environment_.unready_reasons()) reasons.push_back(std::move(reason));
    std::vector<std::string> expected = environment_.file_cells();
    for (const cell_specification& cell : environment_.memory.all()) expected.push_back(cell.cell_id);
    constexpr std::size_t most_named = 100;
    const auto found = environment_.progress->absent_among(expected);
    for (const std::string& id : std::set(found.missing.begin(), found.missing.end())) {
      if (reasons.size() < most_named) reasons.push_back("cell " + id + " is not bound; see cell_refused");
    }
    for (const std::string& id : found.lost) {
      if (reasons.size() >= most_named) break;
      reasons.push_back("the socket file of cell " + id + " is lost; PUT the cell again, or reload; see socket_lost");
    }
    const bool ready = reasons.empty();
    reply(document(ready ? 200 : 503, {{"ready", ready},
                                       {"cells", found.cells},
                                       {"cells_not_bound", found.missing.size()},
                                       {"sockets_lost", found.lost.size()},
                                       {"reasons", std::move(reasons)}}));
  });
}

void control_api::show_page(const http_reply& reply) const {
  http_answer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.body = status_page();
  reply(std::move(answer));
}

}  // namespace cellos
