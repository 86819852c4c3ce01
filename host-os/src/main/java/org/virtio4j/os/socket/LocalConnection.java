// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.virtio4j.os.Descriptor;

/**
 * One connection of a Unix stream socket. It belongs to the thread that accepted it, on a platform thread since its
 * calls block; only {@link #shutdown} may be called from any.
 */
public interface LocalConnection extends AutoCloseable {

    /**
     * Waits for bytes and takes them, with the descriptors that travel with them.
     *
     * @param into     native memory for the bytes
     * @param offset   where in it to begin
     * @param length   how many bytes at most
     * @param received descriptors are added to it, and are then the caller's to close
     * @param most     how many it may contain; what comes beyond is closed
     * @return how many bytes came, 0 when the other end has closed
     * @throws IOException if the connection is broken
     */
    long receive(MemorySegment into, long offset, long length, List<Descriptor> received, int most) throws IOException;

    /**
     * Whether a descriptor was lost after the last call, because there were too many or the process may not have more.
     *
     * @return true once
     */
    boolean takeLoss();

    /**
     * Sends bytes, all of them.
     *
     * @param from   native memory
     * @param length how many of its bytes
     * @throws IOException if the connection is broken
     */
    void send(MemorySegment from, long length) throws IOException;

    /** Ends the connection: a thread that waits in it returns, and every later call finds it closed. */
    void shutdown();

    /** Gives the connection back. */
    @Override
    void close();
}
