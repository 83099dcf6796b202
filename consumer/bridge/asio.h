// Boost.Asio's coroutines, included in one place because awaitable.hpp of Boost 1.74 uses std::exchange
// without including its header. Sockets and timers are included where they are used.
#pragma once

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace waggle::bridge {

namespace asio = boost::asio;

}  // namespace waggle::bridge
