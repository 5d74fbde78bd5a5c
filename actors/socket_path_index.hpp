#pragma once

#include <string>
#include <unordered_map>

namespace cellos {

/// Which cell has which socket path, as the paths are spelled: the cheap first answer to whether a cell can be
/// admitted. Whether two spellings are one place, the sockets themselves know.
class socket_path_index {
 public:
  /// Null if the path is nobody's.
  const std::string* owner(const std::string& path) const {
    const auto found = owners_.find(path);
    return found == owners_.end() ? nullptr : &found->second;
  }
  void add(const std::string& path, const std::string& cell_id) { owners_.try_emplace(path, cell_id); }
  void remove(const std::string& path, const std::string& cell_id) {
    const auto found = owners_.find(path);
    if (found != owners_.end() && found->second == cell_id) owners_.erase(found);
  }

 private:
  std::unordered_map<std::string, std::string> owners_;
};

}  // namespace cellos
