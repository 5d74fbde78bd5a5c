#include "messages/chain_lines.hpp"

#include <utility>

#include "messages/json_text.hpp"

namespace cellos {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

/// `quoted` without its closing quote, to be continued.
std::string open_quoted(std::string_view text) {
  std::string out = quoted(text);
  out.pop_back();
  return out;
}

}  // namespace

chain_lines::chain_lines(std::string chain, std::string_view source, std::string_view subject,
                         const event_sealing_ptr& sealing)
    : chain_(std::move(chain)), plain_source_(source), plain_subject_(subject) {
  head_ = R"({"specversion":"1.0","id":)" + open_quoted(chain_ + "/");
  source_ = R"(","source":)" + quoted(source) + R"(,"type":")";
  subject_ = R"(","subject":)" + quoted(subject) + R"(,"time":")";
  attributes_ = R"(","datacontenttype":"application/json","chain":)" + quoted(chain_) + R"(,"sequence":")";
  reseal(sealing);
}

void chain_lines::reseal(const event_sealing_ptr& sealing) {
  auto seal = sealing ? sealing->begin({chain_, plain_source_, plain_subject_}) : nullptr;
  sealing_ = sealing;
  seal_ = std::move(seal);
  forget_unsealed();
}

void chain_lines::begin(std::string& out, rendered_event& made, const sequence_text& number, std::string_view time,
                        std::string_view type) const {
  const auto append = [&out](std::string_view text) {
    const std::size_t begin = out.size();
    out += text;
    return rendered_event::piece{begin, out.size()};
  };
  out += head_;
  out += number.view();
  out += source_;
  made.type = append(type);
  out += subject_;
  made.time = append(time);
  out += attributes_;
  made.sequence = append(number.view());
  out += '"';
  if (seal_) made.placeholder = append(seal_->placeholder(made.kind));
  out += R"(,"data":)";
}

event_digest chain_lines::seal(std::string& out, event_digest before) {
  if (unsealed_.empty()) return before;
  const event_digest last = seal_->seal(out, unsealed_, before);
  unsealed_.clear();
  return last;
}

}  // namespace cellos
