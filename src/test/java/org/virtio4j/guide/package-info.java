// SPDX-License-Identifier: Apache-2.0

/**
 * The code of {@code README.md} and {@code docs/embedding.md}, compiled and run. What stands between the comments
 * {@code guide: begin} and {@code guide: end} is shown there word for word, which {@link
 * org.virtio4j.guide.GuideTextTest} checks.
 */
@NullMarked
package org.virtio4j.guide;

import org.jspecify.annotations.NullMarked;
