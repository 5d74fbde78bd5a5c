#pragma once

#include <caf/error.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "actors/failure.hpp"

namespace cellos {

/// A question to an actor that is replaced when it dies. Its answer counts while it is `wanted`: whoever asks the
/// successor again must not hear the former one as well.
template <class Answer>
struct supervised_request {
  std::function<bool()> wanted;
  std::function<void(Answer&)> answered;
  /// It was refused, or not answered in time.
  std::function<void(const caf::error&)> failed;
  /// Whom it was put to is dead. Null where its supervisor hears of that and asks the successor.
  std::function<void()> receiver_died = nullptr;
};

/// Puts it to `receiver`; `self` hears of exactly one of its outcomes, or of none where CAF has none to give: a request
/// that its receiver took and died of is answered by nobody.
template <class Answer, class Self, class Receiver, class... Words>
void ask(Self self, const Receiver& receiver, std::chrono::seconds timeout, supervised_request<Answer> question,
         const Words&... words) {
  auto asked = std::make_shared<const supervised_request<Answer>>(std::move(question));
  self->request(receiver, timeout, words...)
      .then(
          [asked](Answer& answer) {
            if (asked->wanted()) asked->answered(answer);
          },
          [asked](const caf::error& cause) {
            if (!asked->wanted()) return;
            if (!receiver_died(cause)) return asked->failed(cause);
            if (asked->receiver_died) asked->receiver_died();
          });
}

}  // namespace cellos
