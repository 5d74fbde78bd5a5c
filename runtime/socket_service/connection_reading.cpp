#include "runtime/socket_service/connection_reading.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace cellos {

read_outcome outcome_of(ssize_t got, int error) {
  if (got > 0) return read_outcome::bytes;
  if (got == 0) return read_outcome::end;
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return read_outcome::nothing_yet;
  return error == ENOBUFS || error == ENOMEM ? read_outcome::shortage : read_outcome::end;
}

std::size_t cell_reading::room() const {
  if (read_to_their_end_ >= most_read_to_their_end || budget_->exhausted()) return 0;
  return most_kept_bytes - kept_bytes_;
}

reading_step connection_reading::on_input(bool credit) const {
  if (ended() || !credit) return reading_step::wait;
  return read_to_its_end_ || !kept_.empty() ? reading_step::take_kept : reading_step::receive;
}

reading_step connection_reading::on_peer_left(bool credit) const {
  if (ended() || read_to_its_end_) return reading_step::wait;
  if (credit && !cell_->draining()) return on_input(credit);
  return cell_->room() > 0 ? reading_step::keep : reading_step::keep_later;
}

socket_watch connection_reading::wanted_watch(bool credit) const {
  // A draining cell is looked at each turn.
  if (ended() || read_to_its_end_ || cell_->draining()) return socket_watch::nothing;
  return credit ? socket_watch::input : socket_watch::leaving;
}

std::optional<received_chunk> connection_reading::take(std::span<const std::uint8_t> bytes, read_time at) {
  return settled(chunks_.take(bytes, at));
}

std::optional<received_chunk> connection_reading::take_kept(std::size_t most, read_time at) {
  const std::size_t bytes = std::min(kept_.size(), most);
  if (bytes == 0) return end(at);
  std::optional<received_chunk> chunk = chunks_.take(std::span{kept_}.first(bytes), at);
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(bytes));
  cell_->kept_bytes_ -= bytes;
  cell_->budget_->give_back(bytes);
  return settled(std::move(chunk));
}

std::optional<received_chunk> connection_reading::end(read_time at) { return settled(chunks_.end(at)); }

void connection_reading::keep(std::span<const std::uint8_t> bytes) {
  kept_.insert(kept_.end(), bytes.begin(), bytes.end());
  cell_->kept_bytes_ += bytes.size();
  cell_->budget_->take(bytes.size());
}

void connection_reading::kept_to_its_end() {
  read_to_its_end_ = true;
  ++cell_->read_to_their_end_;
}

void connection_reading::abandon() { (void)end({}); }

void connection_reading::give_back_kept() {
  cell_->kept_bytes_ -= kept_.size();
  cell_->budget_->give_back(kept_.size());
  kept_.clear();
  if (std::exchange(read_to_its_end_, false)) --cell_->read_to_their_end_;
}

/// What has ended keeps nothing.
std::optional<received_chunk> connection_reading::settled(std::optional<received_chunk> chunk) {
  if (ended()) give_back_kept();
  return chunk;
}

}  // namespace cellos
