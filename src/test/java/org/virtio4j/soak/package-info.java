// SPDX-License-Identifier: Apache-2.0
/**
 * What is made and closed very often leaves nothing behind: a process that did so for a while holds what it held after
 * the first tenth. Each of these runs in a JVM of its own, whose heap cannot grow.
 */
@NullMarked
package org.virtio4j.soak;

import org.jspecify.annotations.NullMarked;
