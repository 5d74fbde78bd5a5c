#include "messages/event_line.hpp"

#include <memory>
#include <span>
#include <string>

#include "messages/chain_writer.hpp"

#define CAF_SUITE event_line
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

/// Leaves visible marks where digests and signatures belong.
struct marking_seal final : event_seal {
  std::string_view placeholder(seal_kind kind) const override {
    return kind == seal_kind::chained ? digests : signatures;
  }
  event_digest seal(std::string&, std::span<const rendered_event>, event_digest before) override { return before; }

  std::string digests = std::string{line_form::before_prevdigest} + std::string(prevdigest_length, 'A') +
                        std::string{line_form::before_signedextattrs} + std::string{chain_extensions};
  std::string signatures = digests + std::string{line_form::before_dssematerial} + "envelope";
};

struct marking_sealing final : event_sealing {
  std::unique_ptr<event_seal> begin(const chain_constants&) const override { return std::make_unique<marking_seal>(); }
  const std::string& key_id() const override { return id; }
  const std::string& former_key_id() const override { return none; }
  std::uint64_t events_per_signature() const override { return 4; }
  signing_statement statement() const override { return {}; }
  std::string digest_text(const event_digest&) const override { return {}; }

  std::string id = "key";
  std::string none;
};

/// Without its newline.
std::string written(event_type type, const event_sealing_ptr& sealing, const std::string& chain = "host-a/cell-1/r/1",
                    const std::string& data = R"({"a":1})") {
  chain_writer lines{{chain, 7}, "/cellos/host/host-a", "urn:cellos:cell:cell-1", sealing};
  std::string out;
  lines.event(out, "2026-11-24T06:00:00.123456789Z", type, [&](std::string& to) { to += data; });
  CAF_REQUIRE_EQUAL(out.back(), '\n');
  out.pop_back();
  return out;
}

std::string replaced(std::string line, const std::string& part, const std::string& by) {
  const std::size_t at = line.find(part);
  CAF_REQUIRE(at != std::string::npos);
  return line.replace(at, part.size(), by);
}

const event_sealing_ptr off;
const event_sealing_ptr marked = std::make_shared<const marking_sealing>();

}  // namespace

CAF_TEST(what_is_written_is_read_again) {
  for (const auto& sealing : {off, marked}) {
    for (const event_type type : {event_type::process_spawned, event_type::run_started}) {
      const std::string line = written(type, sealing);
      CAF_MESSAGE(line);
      const auto read = parse_event_line(line);
      CAF_REQUIRE(read.has_value());
      CAF_CHECK_EQUAL(read->id, "host-a/cell-1/r/1/00000000000000000007");
      CAF_CHECK_EQUAL(read->source, "/cellos/host/host-a");
      CAF_CHECK_EQUAL(read->type, std::string{event_type_prefix} + std::string{name_of(type)});
      CAF_CHECK_EQUAL(read->subject, "urn:cellos:cell:cell-1");
      CAF_CHECK_EQUAL(read->time, "2026-11-24T06:00:00.123456789Z");
      CAF_CHECK_EQUAL(read->chain, "host-a/cell-1/r/1");
      CAF_CHECK_EQUAL(read->sequence, "00000000000000000007");
      CAF_CHECK_EQUAL(read->data, R"({"a":1})");
      CAF_CHECK_EQUAL(read->is_sealed(), sealing != nullptr);
      CAF_CHECK_EQUAL(read->prevdigest, sealing ? std::string(prevdigest_length, 'A') : "");
      CAF_CHECK_EQUAL(read->dssematerial, sealing && is_always_signed(type) ? "envelope" : "");
      CAF_CHECK(is_event_id(read->id, read->chain, read->sequence));
      CAF_CHECK_EQUAL(parse_sequence(read->sequence).value_or(0), 7u);
    }
  }
}

CAF_TEST(a_line_that_lacks_a_byte_or_has_one_more_is_no_such_line) {
  const std::string line = written(event_type::run_started, marked);
  const std::string_view whole = line;
  const std::size_t data = whole.find(line_form::before_data) + line_form::before_data.size();
  for (std::size_t i = 0; i < line.size(); ++i) CAF_CHECK(!parse_event_line(whole.substr(0, i)));
  // Values may be of other lengths; what stands between them may not, nor may what has one length.
  for (const std::string_view piece :
       {line_form::before_id, line_form::before_source, line_form::before_type, line_form::before_subject,
        line_form::before_time, line_form::before_chain, line_form::before_sequence, line_form::before_prevdigest,
        line_form::before_signedextattrs, line_form::before_dssematerial, line_form::before_data}) {
    const std::size_t begin = whole.find(piece);
    CAF_REQUIRE(begin < data);
    for (std::size_t i = begin; i < begin + piece.size(); ++i) {
      std::string lacks = line;
      CAF_CHECK(!parse_event_line(lacks.erase(i, 1)));
    }
  }
  CAF_CHECK(!parse_event_line(line + " "));
  CAF_CHECK(!parse_event_line(" " + line));
}

CAF_TEST(other_forms_of_the_same_event_are_not_ours) {
  const std::string line = written(event_type::run_started, marked);
  CAF_CHECK(parse_event_line(line).has_value());
  CAF_CHECK(!parse_event_line(replaced(line, "cell-1", "cell\\u002d1")));
  CAF_CHECK(!parse_event_line(replaced(line, "123456789Z", "123456789+00:00")));
  CAF_CHECK(!parse_event_line(replaced(line, "\"sequence\":\"0", "\"sequence\":\"")));
  CAF_CHECK(!parse_event_line(replaced(line, "chain,sequence,prevdigest", "chain,prevdigest,sequence")));
  CAF_CHECK(!parse_event_line(replaced(line, "\"envelope\"", "\"\"")));
  CAF_CHECK(!parse_event_line(replaced(line, R"({"a":1})", "1")));
  // A chain's name that JSON has to escape is written well, and left to whoever reads any JSON.
  CAF_CHECK(!parse_event_line(written(event_type::run_started, off, "h\"/1")));
}

CAF_TEST(a_sequence_has_one_spelling) {
  for (const char* text : {"", "7", "0000000000000000000", "00000000000000000000", "000000000000000000007",
                           "0000000000000000000x", "+0000000000000000007", "18446744073709551616"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(!parse_sequence(text));
  }
  CAF_CHECK_EQUAL(parse_sequence("18446744073709551615").value_or(0), 18446744073709551615u);
  CAF_CHECK_EQUAL(parse_sequence(sequence_text{1}.view()).value_or(0), 1u);
}

CAF_TEST(an_id_is_of_one_place) {
  CAF_CHECK(is_event_id("h/1/00000000000000000002", "h/1", "00000000000000000002"));
  CAF_CHECK(!is_event_id("h/1/00000000000000000002", "h/2", "00000000000000000002"));
  CAF_CHECK(!is_event_id("h/1/00000000000000000002", "h/1", "00000000000000000003"));
  CAF_CHECK(!is_event_id("h/1-00000000000000000002", "h/1", "00000000000000000002"));
  CAF_CHECK(!is_event_id("h/1/00000000000000000002 ", "h/1", "00000000000000000002"));
}

CAF_TEST(an_attribute_is_found_in_any_order_and_not_in_what_a_guest_wrote) {
  const std::string line = R"({"time":"t","id":"x","data":{"guestComm":"\"subject\":\"mine\""},"subject":"s"})";
  CAF_CHECK_EQUAL(attribute_in(line, "id"), "x");
  CAF_CHECK_EQUAL(attribute_in(line, "time"), "t");
  CAF_CHECK_EQUAL(attribute_in(line, "subject"), "s");
  CAF_CHECK_EQUAL(attribute_in(line, "ubject"), "");
  CAF_CHECK_EQUAL(attribute_in(line, "data"), "");
  CAF_CHECK_EQUAL(attribute_in(line, "chain"), "");
}
