#include "runtime/control/http_message.hpp"

#include <nlohmann/json.hpp>

namespace cellos {

http_answer refusal(unsigned status, std::string_view error, std::string_view field, std::string_view hint) {
  nlohmann::ordered_json body{{"error", error}};
  if (!field.empty()) body["field"] = field;
  if (!hint.empty()) body["hint"] = hint;
  http_answer answer;
  answer.status = status;
  // Texts that are not UTF-8 may come back in a refusal.
  answer.body = body.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + '\n';
  return answer;
}

http_answer refusal_for_now(std::string_view error) {
  http_answer answer = refusal(503, error, {}, "try again");
  answer.retry_after = 1;
  return answer;
}

}  // namespace cellos
