// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.TableTranslator.Fault;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;

/** Message-signalled interrupts: writes that end in a doorbell. */
class MessageTest {

    private static final long DOORBELL = 0xfee0_0000L;
    private static final int REQUESTER = 0x48;

    private record Message(int requester, long address, int data) {
    }

    private final GuestMemory memory = new GuestMemory();
    private final List<Message> messages = new ArrayList<>();
    private final TableTranslator table = new TableTranslator();
    private final DmaHandle identity = DmaSpace.identity(memory).open("identity");
    private final DmaHandle translated = DmaSpace.of(memory, table, REQUESTER).open("translated");

    MessageTest() {
        memory.addAnonymous(0, GuestMemory.PAGE_SIZE);
        memory.addDoorbell(DOORBELL, 0x10_0000, (requester, address, data) -> {
            // The sink may do what no section allows.
            identity.enter();
            identity.leave();
            memory.gracePeriods().awaitAll(0);
            messages.add(new Message(requester, address, data));
        });
    }

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(identity);
        ParkedReader.leaveIfInside(translated);
        memory.close();
        assertEquals(0, memory.gracePeriods().stalls());
    }

    @Test
    void shouldReachTheSinkWithWhoAndWhereAndWhat() {
        table.map(0x1000, 0x1fff, DOORBELL + 0x2000, TableTranslator.WRITE);
        assertEquals(DmaResult.OK, translated.send(0x1010, 0xcafe_f00d));
        assertEquals(DmaResult.OK, identity.send(DOORBELL + 0xf_fffc, 7));
        assertEquals(List.of(new Message(REQUESTER, DOORBELL + 0x2010, 0xcafe_f00d),
                new Message(0, DOORBELL + 0xf_fffc, 7)), messages);
    }

    @Test
    void shouldBeABusErrorWhereThereIsNoDoorbell() {
        assertEquals(DmaResult.BUS_ERROR, identity.send(0, 1));
        assertEquals(DmaResult.BUS_ERROR, identity.send(0x5000, 1));
        assertEquals(DmaResult.BUS_ERROR, identity.send(DOORBELL - 1, 1));
        assertEquals(DmaResult.BUS_ERROR, identity.send(DOORBELL + 0x10_0000, 1));
        assertEquals(List.of(), messages);
    }

    @Test
    void shouldFaultAsAnyWriteWhenItIsNotMapped() {
        table.map(0x1000, 0x1fff, DOORBELL, TableTranslator.READ);
        assertEquals(DmaResult.FAULT, translated.send(0x1000, 1));
        assertEquals(DmaResult.FAULT, translated.send(0x2000, 1));
        assertEquals(List.of(new Fault(TranslateResult.NOT_PERMITTED, 0x1000, Access.WRITE),
                new Fault(TranslateResult.NO_MAPPING, 0x2000, Access.WRITE)), table.faults);
        assertEquals(List.of(), messages);
    }

    @Test
    void shouldReachADoorbellAndNeverMemoryWhereOnlyMessagesAreAllowed() {
        table.map(0, 0xfff, 0, ExtentSink.MESSAGES);
        table.map(0x1000, 0x1fff, DOORBELL, ExtentSink.MESSAGES);
        assertEquals(DmaResult.BUS_ERROR, translated.send(0x8, 1));
        assertEquals(DmaResult.OK, translated.send(0x1008, 2));
        assertEquals(List.of(new Message(REQUESTER, DOORBELL + 8, 2)), messages);
        MemorySegment data = Arena.ofAuto().allocate(8, 8);
        data.fill((byte) 1);
        MemorySegment ram = Objects.requireNonNull(memory.map().find(0)).segment();
        translated.enter();
        for (int round = 0; round < 3; round++) {
            // The second time the region is the one used last, and the extent is known.
            assertEquals(DmaResult.BUS_ERROR, translated.write(0, data, 0, 8));
            assertEquals(DmaResult.BUS_ERROR, translated.write(0x1000, data, 0, 4));
            assertEquals(DmaResult.BUS_ERROR, translated.access(0, 8, Access.WRITE, new DmaCursor()));
        }
        translated.leave();
        assertEquals(0, LittleEndian.i64(ram, 0));
        assertEquals(List.of(), table.faults);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLeaveNoSectionOpenWhenTheTranslatorThrows(boolean error) {
        boolean[] throwing = {true};
        TableTranslator sometimes = new TableTranslator() {
            @Override
            public TranslateResult translate(long iova, Access access, ExtentSink out) {
                if (throwing[0]) {
                    fail(error);
                }
                return super.translate(iova, access, out);
            }
        };
        sometimes.map(0, 0xfff, DOORBELL, TableTranslator.WRITE);
        DmaHandle handle = DmaSpace.of(memory, sometimes).open("handle");
        MessageSender sender = DmaSpace.of(memory, sometimes).messages("sender");
        for (int round = 0; round < 2; round++) {
            throwing[0] = true;
            assertThrows(Throwable.class, () -> handle.send(0, 1));
            assertThrows(Throwable.class, () -> sender.send(0, 1));
            throwing[0] = false;
            sometimes.readers.awaitAll(0);
            assertEquals(DmaResult.OK, handle.send(0, round));
            assertEquals(DmaResult.OK, sender.send(0, round));
        }
        assertEquals(0, sometimes.readers.stalls());
        assertEquals(4, messages.size());
        handle.close();
        sender.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLeaveNoSectionOpenWhenTheSinkOrTheReportThrows(boolean error) {
        memory.addDoorbell(DOORBELL + 0x10_0000, 0x1000, (requester, address, data) -> fail(error));
        TableTranslator reporting = new TableTranslator() {
            @Override
            public void faulted(TranslateResult reason, long iova, Access access) {
                fail(error);
            }
        };
        reporting.map(0, 0xfff, DOORBELL + 0x10_0000, TableTranslator.WRITE);
        DmaHandle handle = DmaSpace.of(memory, reporting).open("handle");
        MessageSender sender = DmaSpace.of(memory, reporting).messages("sender");
        for (long address = 0; address <= 0x1000; address += 0x1000) {
            long iova = address;
            for (int round = 0; round < 2; round++) {
                assertThrows(Throwable.class, () -> handle.send(iova, 1));
                assertThrows(Throwable.class, () -> sender.send(iova, 1));
            }
        }
        reporting.readers.awaitAll(0);
        assertEquals(0, reporting.readers.stalls());
        handle.close();
        sender.close();
    }

    private static void fail(boolean error) {
        if (error) {
            throw new AssertionError("the embedder's");
        }
        throw new IllegalArgumentException("the embedder's");
    }

    @Test
    void shouldRefuseToSendInsideASection() {
        identity.enter();
        assertThrows(IllegalStateException.class, () -> identity.send(DOORBELL, 1));
        identity.leave();
        assertEquals(List.of(), messages);
    }

    // Messages from any thread

    @Test
    void shouldSayWhatBecameOfAMessageOfAnyThread() {
        table.map(0x1000, 0x1fff, DOORBELL + 0x2000, TableTranslator.WRITE);
        table.map(0x2000, 0x2fff, 0, TableTranslator.WRITE);
        MessageSender sender = DmaSpace.of(memory, table, REQUESTER).messages("any thread");
        assertEquals(DmaResult.OK, sender.send(0x1010, 7));
        assertEquals(DmaResult.BUS_ERROR, sender.send(0x2000, 7));
        assertEquals(DmaResult.FAULT, sender.send(0x3000, 7));
        sender.close();
        assertEquals(DmaResult.CLOSED, sender.send(0x1010, 7));
        assertEquals(List.of(new Message(REQUESTER, DOORBELL + 0x2010, 7)), messages);
        assertEquals(List.of(new Fault(TranslateResult.NO_MAPPING, 0x3000, Access.WRITE)), table.faults);
    }

    @Test
    void shouldCallSinkAndFaultListenerUnderNoLock() {
        MessageSender[] own = new MessageSender[1];
        memory.addDoorbell(DOORBELL + 0x20_0000, 0x1000, (requester, address, data) ->
                inAnotherThread(() -> own[0].send(DOORBELL, data)));
        try (MessageSender sender = DmaSpace.identity(memory).messages("any thread")) {
            own[0] = sender;
            assertEquals(DmaResult.OK, sender.send(DOORBELL + 0x20_0000, 9));
        }
        assertEquals(List.of(new Message(0, DOORBELL, 9)), messages);
    }

    @Test
    void shouldLoseNoMessageWhenManyThreadsSend() {
        AtomicInteger arrived = new AtomicInteger();
        memory.addDoorbell(DOORBELL + 0x20_0000, 0x1000, (requester, address, data) -> {
            assertEquals(DOORBELL + 0x20_0000 + 4L * data, address, "address and data of two messages");
            arrived.incrementAndGet();
        });
        try (MessageSender sender = DmaSpace.identity(memory).messages("any thread")) {
            Thread[] threads = new Thread[3];
            for (int i = 0; i < threads.length; i++) {
                int number = i;
                threads[i] = new Thread(() -> {
                    for (int n = 0; n < 10_000; n++) {
                        sender.send(DOORBELL + 0x20_0000 + 4L * number, number);
                    }
                });
                threads[i].start();
            }
            for (Thread thread : threads) {
                ParkedReader.finish(thread);
            }
        }
        assertEquals(30_000, arrived.get());
    }

    private static void inAnotherThread(Runnable action) {
        Thread thread = new Thread(action);
        thread.start();
        ParkedReader.finish(thread);
    }
}
