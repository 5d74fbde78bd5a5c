#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/os/exit_code.hpp"

namespace cellos::cli {

/// The daemon's answer to one request.
struct control_answer {
  long status = 0;
  std::string body;

  bool is_good() const { return status >= 200 && status < 300; }
};

/// The control API over its Unix socket: one connection for as long as the object lives.
class control_client {
 public:
  explicit control_client(std::string socket);
  ~control_client();
  control_client(const control_client&) = delete;
  control_client& operator=(const control_client&) = delete;

  /// Nothing if the daemon could not be asked; `problem` says why.
  std::optional<control_answer> ask(const char* method, const std::string& path, const std::string& body = {});

  /// Hands the body over as it comes, until it ends or `take` returns false. Nothing as above.
  std::optional<control_answer> follow(const std::string& path, std::function<bool(std::string_view)> take);

  /// A sentence for a person.
  const std::string& problem() const { return problem_; }

  /// As one segment of a path, or one value of a query.
  static std::string escape(const std::string& text);

 private:
  std::optional<control_answer> perform(const char* method, const std::string& path);

  const std::string socket_;
  void* handle_;
  std::string problem_;
};

/// `--socket`, or the environment, or where the package has it.
void add_socket_option(CLI::App& app, std::string& socket);

/// Says on stderr why there is no answer.
exit_code complain_unreachable(const control_client& client);
/// Says on stderr what the daemon refused, and why.
exit_code complain_refused(const control_answer& answer);

/// What a good answer to a GET holds. Otherwise nothing: `failed` is what to exit with, and the reason was printed on
/// stderr. `also` is one more status that counts as good.
std::optional<nlohmann::ordered_json> fetch(control_client& client, const std::string& path, exit_code& failed,
                                            long also = 200);

/// A member of an answer, whatever its type, as a person reads it: escaped, and "-" where there is none.
std::string text_of(const nlohmann::ordered_json& object, const char* key);

/// How the host saw its VMM last.
std::string vmm_of(const nlohmann::ordered_json& cell);
std::uint64_t count_of(const nlohmann::ordered_json& object, const char* key);
/// Refusals of all kinds together.
std::uint64_t refused_of(const nlohmann::ordered_json& totals);

}  // namespace cellos::cli
