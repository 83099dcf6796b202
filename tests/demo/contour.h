// What shape a mask has, by measures of its outline that do not depend on where it is and how large.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "pipeline/training/scene.h"
#include "tests/demo/regions.h"

namespace waggle::demo {

inline constexpr std::size_t kMeasureCount = 8;

/// Of a mask without holes: its area over that of its convex hull, of its box and of the circle around its
/// centroid; how much of it its mirror images cover, left to right and top to bottom; and how strongly its
/// radius waves three, four and five times around the centroid.
std::array<double, kMeasureCount> measures(const Mask& mask);

/// The silhouette whose measures are nearest; nothing when none is near. Never a ring, which is a circle with
/// a hole.
std::optional<training::Shape> silhouette(const std::array<double, kMeasureCount>& measured);

/// How far a mask is from a silhouette, 1 being an ordinary deviation.
double strangeness(const std::array<double, kMeasureCount>& measured, training::Shape shape);

}  // namespace waggle::demo
