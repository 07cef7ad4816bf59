"""The subjects that deck and page tell, each in one file: its title, figures and charts, its slide, its section."""
