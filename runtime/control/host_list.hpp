#pragma once

#include <map>
#include <string>
#include <vector>

#include "messages/host_status.hpp"
#include "runtime/control/http_message.hpp"

namespace cellos {

/// The answer to GET /hosts: of all hosts that a collector knows, one page. The query may say
///
///     order=name|attention   by name; or first those that are silenced or forked, then those that lag most
///     state=STATE            connected, disconnected or silenced; only those
///     name=TEXT              only those whose id has it
///     offset=N limit=N       at most 1000; 100 where nothing is said
http_answer list_hosts(std::vector<host_status> hosts, const std::map<std::string, std::string, std::less<>>& query);

}  // namespace cellos
