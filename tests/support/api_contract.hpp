#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/http_client.hpp"

namespace cellos::test {

/// config/openapi.json as what answers are validated by, and of which of its statuses nobody has seen.
class api_contract {
 public:
  api_contract();

  /// What is wrong with the answer to `method` on `path`, as the document writes it; empty if nothing is.
  std::string complaint_about(const std::string& method, const std::string& path, const http_response& response);

  /// Every method and path.
  std::vector<std::pair<std::string, std::string>> operations() const;

  /// `GET /cells 200`: promised by the document, and no answer so far.
  std::vector<std::string> unseen() const;

 private:
  std::string against_schema(const nlohmann::json& schema, const nlohmann::json& body) const;

  nlohmann::json document_;
  std::set<std::string> unseen_;
};

}  // namespace cellos::test
