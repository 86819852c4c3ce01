// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

/**
 * Where the events of a function go while MSI-X is enabled: as messages of its table, or as vectors to the embedder.
 * Event 0 is the configuration change, event {@code n + 1} that of queue {@code n}.
 *
 * <p>Any thread may call any method. Those that call the embedder are called under no lock. If a callback throws, they
 * go on with the rest, and throw the first exception at the end.
 */
interface VectorRoute {

    /** The vector of an event, or {@link org.virtio4j.wire.pci.CommonConfig#NO_VECTOR}. */
    int vector(int event);

    /**
     * Maps an event to another vector, or to none. What the event has raised on the vector before is withdrawn, and
     * when this returns, none of it is on its way. A vector that does not exist maps to none, and reading back shows it
     * (virtio 1.4, section 4.1.5.1.2.1). Calls the embedder.
     */
    void map(int event, int vector);

    /** The event has happened. Calls the embedder. */
    void raise(int event);

    /**
     * Unmaps all events and withdraws what they raised, because the device was reset. Neither calls the embedder nor
     * waits: {@link #awaitWithdrawn} must follow, under no lock.
     */
    void withdrawAll();

    /** Returns when nothing that was raised before the last {@link #withdrawAll} is on its way. Calls the embedder. */
    void awaitWithdrawn();

    /** The function is no bus master, and so sends nothing until it is one again; {@link #flush} must follow then. */
    void hold(boolean held);

    /** What message control says; {@link #flush} must follow, under no lock. */
    void control(boolean enabled, boolean masked);

    /** The embedder masks a vector in addition to what the guest has masked, or ends that. Calls the embedder. */
    void maskByEmbedder(int vector, boolean masked);

    /** Sends what was held back and is not any more. Calls the embedder. */
    void flush();

    /** The function was reset, and its table with it. */
    void reset();

    /** Reads from the BAR with the table and the pending bits. */
    long read(long offset, int width);

    /** Writes to that BAR. Calls the embedder, because a vector may be unmasked. */
    void write(long offset, int width, long value);

    /** Messages that led nowhere: no doorbell was at their address, or translation refused it. */
    long lost();
}
