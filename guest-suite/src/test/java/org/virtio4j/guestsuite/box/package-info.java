// SPDX-License-Identifier: Apache-2.0
/**
 * The program that runs in a box, with a guest's IOMMU, its driver and two devices of the box. {@code
 * PassthroughProgram} is its main class. {@code PassthroughTest} of the package above boots the box and compares what
 * the program and Linux have said.
 */
@NullMarked
package org.virtio4j.guestsuite.box;

import org.jspecify.annotations.NullMarked;
