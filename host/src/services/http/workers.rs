//! The threads of one connector that send: at most so many, and none when there is nothing to do.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    thread,
};

use crate::services::private::lock;

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs in the order in which they come, so many at once.
pub(super) struct Workers {
    most: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
}

impl Workers {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), queue: Mutex::default() })
    }

    /// Takes a job, which must not panic. An error when there is no thread to be had.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> io::Result<()> {
        let mut queue = lock(&self.queue);
        queue.jobs.push_back(job);
        if queue.threads < self.most {
            let workers = Arc::clone(self);
            match thread::Builder::new().name("usher-http".to_owned()).spawn(move || workers.work()) {
                Ok(_) => queue.threads += 1,
                // Those that run will come to it.
                Err(_) if queue.threads > 0 => {}
                Err(error) => {
                    queue.jobs.pop_back();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn work(&self) {
        loop {
            let mut queue = lock(&self.queue);
            let Some(job) = queue.jobs.pop_front() else {
                queue.threads -= 1;
                return;
            };
            drop(queue);
            job();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
            mpsc::channel,
        },
        time::Duration,
    };

    use super::*;

    #[test]
    fn so_many_at_once_and_no_more() {
        let workers = Workers::new(3);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (sender, done) = channel();
        // The first three meet, so three really run side by side.
        let barrier = Arc::new(Barrier::new(3));
        for i in 0..20 {
            let (running, most, sender, barrier) =
                (running.clone(), most.clone(), sender.clone(), barrier.clone());
            workers
                .submit(Box::new(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    if i < 3 {
                        barrier.wait();
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                    sender.send(i).unwrap();
                }))
                .unwrap();
        }
        for _ in 0..20 {
            done.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
