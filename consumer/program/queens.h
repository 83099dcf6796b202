// Where the queens are, as workers, bridges and clients are told by --connect.
#pragma once

#include <string>
#include <vector>

#include "consumer/bus/bus.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::program {

/// --connect, as often as there are queens.
void add_connect_flag(CLI::App& flags, std::vector<std::string>& values);

/// Each value names one queen or, separated by spaces, several. A queen is "tcp://host:port", the endpoint
/// for requests with the other two on the next two ports, or all three in full: "REQUESTS,PUBLISH,COLLECT".
/// No value: the queen of this machine. Errors: invalid_request.
Result<std::vector<bus::Endpoints>> parse_queens(const std::vector<std::string>& values);

/// One kind of endpoint of every queen: what a Subscriber, Publisher or RequestClient connects to.
std::vector<std::string> each(const std::vector<bus::Endpoints>& queens,
                              std::string bus::Endpoints::*endpoint);

}  // namespace waggle::program
