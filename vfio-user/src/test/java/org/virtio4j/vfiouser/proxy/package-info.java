// SPDX-License-Identifier: Apache-2.0
/**
 * A tool for who wonders what a client and a server say to each other: {@link
 * org.virtio4j.vfiouser.proxy.RegisterProxy} sits between the two, writes each register access down and can change
 * some on the way. {@code vfio-user/register-proxy} starts it.
 */
@NullMarked
package org.virtio4j.vfiouser.proxy;

import org.jspecify.annotations.NullMarked;
