"""Pictures of plans and studies, for paper and screen."""
