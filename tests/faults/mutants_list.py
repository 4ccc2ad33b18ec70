"""Ways to break the journal. Each is a difference of src/amq: `@` names the file, `-` goes, `+` comes, the rest is only
there to find the place, of which there must be one.
"""

from typing import Final

# The tests that are asked whether they notice, unless TESTS names others.
IMAGES: Final = "tests/faults/test_crash_images.py"
TESTS: Final = {
    "no CRC of messages that are read back": ("tests/journal/test_log.py",),
    "salvage copies what is damaged": ("tests/journal/test_salvage.py",),
}
# By name.
TEXTS: Final[dict[str, str]] = {
    "no fsync of frames": """
@ server/journal_files.py
-        self.disk.sync(self.log.segments[-1].name)
""",
    "a failed fsync is tried again": """
@ server/journal_files.py
-        self.disk.sync(self.log.segments[-1].name)
+        try:
+            self.disk.sync(self.log.segments[-1].name)
+        except OSError:
+            self.disk.sync(self.log.segments[-1].name)
""",
    "no fsync of a new segment's header": """
@ server/journal_files.py
-        self.disk.sync(spare)
         name = segment_name(number)
""",
    "no fsync of the folder after a segment got its name": """
@ server/journal_files.py
         self.disk.rename(spare, name)
-        self.disk.sync_folder()
""",
    "no fsync of the folder after a segment lost its name": """
@ server/journal_files.py
             self.disk.rename(name, spare)
-            self.disk.sync_folder()
""",
    "no fsync of the folder after a segment was removed": """
@ server/journal_files.py
             self.disk.unlink(name)
-            self.disk.sync_folder()
""",
    "no CRC of records": """
@ journal/frame.py
-        if not size or after > end or crc32(view[pos + 8 : after]) != crc:
+        if not size or after > end:
""",
    "no CRC of frame headers": """
@ journal/frame.py
-    if crc32(octets[at + 8 : at + FRAME_HEADER]) != _U32.unpack_from(octets, at + 4)[0]:
+    if not octets:
""",
    "records of another frame fit": """
@ journal/frame.py
-    return len(heads) == frame.count and heads_crc(heads) == (chain if heads else 0)
+    return len(heads) == frame.count or chain > 0
""",
    "frames of an earlier life of the file count": """
@ journal/frame.py
-    if found != salt:
+    if not found:
         return None
""",
    "every segment has the same salt": """
@ server/journal_files.py
-    return int.from_bytes(os.urandom(4), "little")
+    return 7
""",
    "damage passes for a torn end": """
@ journal/replay.py
-    if later is not None:
+    if later is not None and later.sequence < 0:
""",
    "a segment that ends early passes": """
@ journal/replay.py
-            if log.sequence != before:
+            if log.sequence > before:
""",
    "recovery believes what nothing vouches for without writing it again": """
@ journal/replay.py
-    unvouched = [each for each in frames if each.sequence > synced]
-    return End(at, wanted, synced, unvouched, not any(found.count for found in frames))
+    return End(at, wanted, wanted - 1, [], not any(found.count for found in frames))
""",
    "recovery forgets what nothing vouches for": """
@ server/journal_files.py
-        if end.unvouched:
+        if not headers:
""",
    "recovery appends to the segment that it found": """
@ server/journal_files.py
-        self._new_last(headers, end, replay)
+        if not headers:
+            self._new_last(headers, end, replay)
@ server/journal_files.py
-            before = headers[index + 1][1].first_sequence if index + 1 < len(headers) else end.synced + 1
+            before = headers[index + 1][1].first_sequence if index + 1 < len(headers) else end.sequence
""",
    "a segment is dropped although messages in it are alive": """
@ journal/log.py
-        return first if not first.alive and not first.readers else None
+        return first if not first.readers else None
""",
    "a segment is dropped although its acknowledgements are needed": """
@ journal/log.py
-        return first if not first.alive and not first.readers else None
+        return next((each for each in self.segments[:-1] if not each.alive), None)
@ journal/log.py
-        self.starts.pop(0)
-        segment = self.segments.pop(0)
+        segment = self.droppable() or self.segments[0]
+        self.starts.pop(self.segments.index(segment))
+        self.segments.remove(segment)
@ server/journal_files.py
-            if found and number != found[-1][1].number + 1:
+            if found and number == found[-1][1].number:
""",
    "numbers of messages are used again": """
@ journal/replay.py
-        if lsn + count > self.next_lsn:
-            self.next_lsn = lsn + count
""",
    "confirm before fsync": """
@ server/journal_writer.py
         self._flying = work
+        self.broker.durable(work.ticket)
""",
    "confirm before the fsync of the long way": """
@ server/journal_writer.py
+        self.broker.durable(work.ticket)
         if work.heads:
             size = frame.frame_size(work.size)
""",
    "a batch that could not go the short way is forgotten": """
@ server/journal_writer.py
-            await self._write(left)
+            self._safe(left)
""",
    "the next segment vouches for a MARK that is not safe": """
@ server/journal_files.py
-        if self._unsynced:
+        if not self.log.segments:
""",
    "the next segment vouches for nothing": """
@ server/journal_files.py
-        if end.sequence < header.first_sequence:
-            raise Corrupt(before, end.at, end.sequence, "a frame that was safe cannot be read")
         headers.pop()
         self._to_spares(name)
-        return End(end.at, header.first_sequence, header.first_sequence - 1, [], False)
+        return end
""",
    "recovery believes names that nobody synced": """
@ server/journal_files.py
-        self._sync_names()
         self._keep_spares()
""",
    "what was settled is forgotten while more may come in": """
@ journal/segment.py
-            if self.sealed:
+            if self.alive is not None:
""",
    "replay takes an earlier segment's acknowledgements for its own": """
@ journal/replay.py
-            log.last_lsn = header.first_lsn - 1
             self.next_lsn = header.first_lsn
-        segment = Segment(header.number, header.salt, len(octets), header.first_sequence, header.first_lsn)
+        segment = Segment(header.number, header.salt, len(octets), header.first_sequence, log.last_lsn + 1)
""",
    "an acknowledgement gets ahead of its message": """
@ journal/batch.py
-            ahead = [lsn for lsn in settled.lsns if lsn < below][: most - count]
+            ahead = settled.lsns[: most - count]
""",
    "an acknowledgement gets ahead of a salvaged copy": """
@ journal/salvage.py
-        work.first_lsn = min(work.first_lsn, lsn)
""",
    "salvage copies what is settled": """
@ journal/salvage.py
-        return [queue for queue in run.queues if queue in alive and lsn not in gone.get(queue, ())]
+        return [queue for queue in run.queues if queue in alive]
""",
    "salvage copies again what was copied before a crash": """
@ journal/salvage.py
-        if self.log.moved_lsns and self.log.segment_of(lsn) is not self.segment:
+        if not self.octets:
""",
    "salvage leaves a message behind": """
@ journal/salvage.py
-        for lsn in range(first + 1, run.lsn + run.count + 1):
+        for lsn in range(first + 1, run.lsn + run.count + (run.count == 1)):
""",
    "the salvaged segment goes before its copies are safe": """
@ server/journal_writer.py
-        await self._write(self.broker.journal.take())
         self._salvaged(copied)
         await self._drop()
+        await self._write(self.broker.journal.take())
""",
    "a frame vouches for itself": """
@ journal/log.py
-        self.synced = self.sequence - 1
+        self.synced = self.sequence
""",
    "a stop in good order counts for ever": """
@ journal/replay.py
-        self.delivered = None
         work = Work(0, 0)
""",
    "the last spare is used up by publishers": """
@ server/journal_files.py
-        while not last_spare and len(self.spares) < SPARES:
+        while not last_spare and not self.spares:
""",
    "a message is safe before its queue is": """
@ server/journal_writer.py
-        if work.changes:
-            await self._define(work)
         if work.heads:
             size = frame.frame_size(work.size)
@ server/journal_writer.py
             await self._append(work)
         self._safe(work)
+        if work.changes:
+            await self._define(work)
""",
    "a failed fsync is overlooked": """
@ server/journal_files.py
-        self.disk.sync(self.log.segments[-1].name)
+        with suppress(OSError):
+            self.disk.sync(self.log.segments[-1].name)
@ server/journal_files.py
-import errno
+import errno
+from contextlib import suppress
""",
    "no CRC of messages that are read back": """
@ journal/reading.py
-            if kind != record.RUN or end > len(piece) or crc32(memoryview(piece)[at + 8 : end]) != crc:
+            if kind != record.RUN or end > len(piece):
""",
    "salvage copies what is damaged": """
@ journal/salvage.py
-        if crc32(memoryview(octets)[offset + 8 : offset + 8 + size]) != crc:
+        if size < 0 or crc < 0:
""",
}
