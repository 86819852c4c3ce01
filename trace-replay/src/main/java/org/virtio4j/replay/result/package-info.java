// SPDX-License-Identifier: Apache-2.0

/**
 * What a replay found: counts, times and the first lines that did not come out as recorded. Immutable.
 */
@NullMarked
package org.virtio4j.replay.result;

import org.jspecify.annotations.NullMarked;
