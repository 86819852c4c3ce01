// SPDX-License-Identifier: Apache-2.0
/**
 * Unix stream sockets. {@code LocalSockets} makes a {@code LocalListener}, which makes a {@code LocalConnection} for
 * each client. Native ones ({@code Native...}) can receive descriptors. Those of {@code java.nio} ({@code Channel...})
 * need no native access, but the system drops every descriptor on the way.
 *
 * <p>A listener or a connection belongs to one platform thread, because its calls block. Only {@code shutdown} may come
 * from any thread; it ends such a call.
 */
@NullMarked
package org.virtio4j.os.socket;

import org.jspecify.annotations.NullMarked;
