// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The former name of queues/fwd.hpp.
#include "queues/fwd.hpp"
