"""What launch.train had as defaults when the published records were made.

Its defaults change as it learns better, and what it recommends for a suite does. An
experiment that was published keeps its own: trained again, it is the same experiment.
A setting that is added to the agent gets here the value that leaves it as it was. Only
what environments show is as it is today: doom's frames have had bars for health and
ammunition since 35ff469.
"""

FLAGS = (
    "--norecommended",
    "--action_repeat=4",
    "--unroll_length=32",
    "--batch_size=8",
    "--window_batches=1",
    "--passes=1",
    "--nosynchronous",
    "--bootstrap_time_limit",
    "--queue_size=0",
    "--torso=auto",
    "--core_size=256",
    "--discount=0.99",
    "--final_discount=0",
    "--discount_start_frames=0",
    "--discount_end_frames=0",
    "--vtrace_lambda=0.95",
    "--baseline_cost=0.5",
    "--entropy_cost=0.013",
    "--final_entropy_share=1",
    "--policy_clip=0.2",
    "--noheld_values",
    "--value_normalisation",
    "--advantage_normalisation",
    "--least_advantage_deviation=0.001",
    "--nofresh_statistics",
    "--reward_clipping=auto",
    "--reward_scales=",
    "--optimiser=adam",
    "--optimiser_epsilon=0",
    "--learning_rate=5e-4",
    "--anneal",
    "--anneal_frames=0",
    "--final_learning_rate_share=0",
    "--max_gradient_norm=400",
    "--kickstarting_weight=4",
)
