// SPDX-License-Identifier: Apache-2.0
/**
 * Unix stream sockets. {@code LocalSockets} makes a {@code LocalListener}, which makes a {@code LocalConnection} for
 * each client. Native ones ({@code Native...}) can receive descriptors. Those of {@code java.nio} ({@code Channel...})
 * need no native access, but the system drops every descriptor on the way.
 */
@NullMarked
package org.virtio4j.os.socket;

import org.jspecify.annotations.NullMarked;
