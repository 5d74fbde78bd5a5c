#include "messages/signing_statement.hpp"

#include "messages/json_text.hpp"

namespace cellos {

void append_statement(std::string& out, const signing_statement& statement) {
  json::object_writer object{out};
  if (statement.mode == signing_statement::kind::checkpoint) {
    object.count("events", statement.events);
    object.count("intervalNs", static_cast<std::uint64_t>(statement.interval.count()));
  }
  object.text("mode", to_string(statement.mode));
}

}  // namespace cellos
