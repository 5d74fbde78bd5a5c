#include "tests/support/api_contract.hpp"

#include <algorithm>
#include <fstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace cellos::test {

namespace {

using json = nlohmann::json;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

api_contract::api_contract() {
  std::ifstream file{CELLOS_SOURCE_DIR "/config/openapi.json"};
  document_ = json::parse(file);
  for (const auto& [path, operations] : document_.at("paths").items()) {
    for (const auto& [method, operation] : operations.items()) {
      if (method == "parameters") continue;
      for (const auto& [status, response] : operation.at("responses").items()) {
        unseen_.insert(upper(method) + ' ' + path + ' ' + status);
      }
    }
  }
}

std::string api_contract::complaint_about(const std::string& method, const std::string& path,
                                          const http_response& response) {
  const std::string what = method + ' ' + path + ' ' + std::to_string(response.status);
  const json& responses = document_.at("paths").at(path).at(lower(method)).at("responses");
  const auto promised = responses.find(std::to_string(response.status));
  if (promised == responses.end()) return what + " is not in the document: " + response.body;
  unseen_.erase(what);
  const json& content = promised->at("content");
  const std::string type = response.header("content-type");
  const auto described = content.find(type.substr(0, type.find(';')));
  if (described == content.end()) return what + " has the content type " + type;
  if (described.key() != "application/json") return {};
  const json body = json::parse(response.body, nullptr, false);
  if (body.is_discarded()) return what + " is not JSON: " + response.body;
  const std::string wrong = against_schema(described->at("schema"), body);
  return wrong.empty() ? "" : what + ": " + wrong + " in " + response.body;
}

std::vector<std::pair<std::string, std::string>> api_contract::operations() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [path, operations] : document_.at("paths").items()) {
    for (const auto& [method, operation] : operations.items()) {
      if (method != "parameters") out.emplace_back(upper(method), path);
    }
  }
  return out;
}

std::vector<std::string> api_contract::unseen() const { return {unseen_.begin(), unseen_.end()}; }

std::string api_contract::against_schema(const json& schema, const json& body) const {
  // References lead into the document's components.
  const json root{{"allOf", json::array({schema})}, {"components", document_.at("components")}};
  valijson::Schema parsed;
  const valijson::adapters::NlohmannJsonAdapter root_adapter{root};
  valijson::SchemaParser{}.populateSchema(root_adapter, parsed);
  const valijson::adapters::NlohmannJsonAdapter body_adapter{body};
  valijson::ValidationResults results;
  if (valijson::Validator{}.validate(parsed, body_adapter, &results)) return {};
  std::string out;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const std::string& part : error.context) out += part;
    out += ": " + error.description + "; ";
  }
  return out;
}

}  // namespace cellos::test
