// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;

/**
 * A Unix stream socket that listens. It belongs to one platform thread, since {@link #accept} blocks; only {@link
 * #shutdown} may be called from any.
 */
public interface LocalListener extends AutoCloseable {

    /**
     * Waits for a client. A client that connects while nobody waits is kept in line.
     *
     * @return the connection
     * @throws IOException if the system refuses, or {@link #shutdown} was called
     */
    LocalConnection accept() throws IOException;

    /** Ends listening: a thread that waits in {@link #accept} gets an exception, and the socket's file is deleted. */
    void shutdown();

    /** Ends listening and gives the socket back. */
    @Override
    void close();
}
